"""Ingresses."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, at, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.ingresses import ingress_errors

SHOWN = 3


def _hosts(obj: Object) -> str:
    rules = path_of(obj, "spec", "rules", default=())
    hosts = [rule["host"] for rule in rules if rule.get("host")]
    more = f" + {len(rules) - SHOWN} more..." if len(hosts) >= SHOWN and len(rules) > SHOWN else ""
    return ",".join(hosts[:SHOWN]) + more or "*"


def _address(obj: Object) -> str:
    given = path_of(obj, "status", "loadBalancer", "ingress", default=())
    return ",".join(sorted({each.get("ip") or each.get("hostname") or "" for each in given} - {""}))


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    name="Ingress",
    plural="ingresses",
    namespaced=True,
    schema="io.k8s.api.networking.v1.Ingress",
    short_names=("ing",),
    status=True,
    generation=True,
    rules=(ingress_errors,),
    columns=(
        NAME,
        Column("Class", at("spec", "ingressClassName", default=NONE), description="Who serves it."),
        Column("Hosts", plain(_hosts), description="Hosts that it serves."),
        Column("Address", plain(_address), description="Where it is served."),
        Column(
            "Ports",
            plain(lambda obj: "80, 443" if path_of(obj, "spec", "tls") else "80"),
            description="Ports that it is served at.",
        ),
        AGE,
    ),
)
