"""NetworkPolicies."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, selector_cell
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object
from kubus.model.validation.network_policies import network_policy_errors


def set_defaults(obj: Object) -> None:
    """Rules on what comes in; on what goes out where it says something of that. Ports are TCP."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    name="NetworkPolicy",
    plural="networkpolicies",
    namespaced=True,
    schema="io.k8s.api.networking.v1.NetworkPolicy",
    short_names=("netpol",),
    generation=True,
    defaults=set_defaults,
    rules=(network_policy_errors,),
    columns=(
        NAME,
        Column(
            "Pod-Selector", selector_cell("spec", "podSelector"), description="Labels of the pods that it protects."
        ),
        AGE,
    ),
)
