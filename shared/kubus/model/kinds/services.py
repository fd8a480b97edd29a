"""Services.

ClusterIPs and node ports are allocated by the apiserver once the rules are content; an update that leaves them out
keeps them (`kubus.model.service_changes`).
"""

from __future__ import annotations

from typing import Any

from kubus.model.cells import AGE, NAME, NONE, at, labels_text, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.service_changes import is_external, prepare_changed, prepare_new
from kubus.model.validation.service_addresses import service_status_errors
from kubus.model.validation.services import service_errors

AFFINITY_SECONDS = 10800


def set_defaults(obj: Object) -> None:
    """ClusterIP over TCP to the same port, no affinity."""
    spec = obj.setdefault("spec", {})
    spec["type"] = spec.get("type") or "ClusterIP"
    spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    else:
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", AFFINITY_SECONDS)
    for port in spec.get("ports") or ():
        port["protocol"] = port.get("protocol") or "TCP"
        port["targetPort"] = port.get("targetPort") or port.get("port", 0)
    if is_external(spec) and not spec.get("externalTrafficPolicy"):
        spec["externalTrafficPolicy"] = "Cluster"
    if spec["type"] in ("ClusterIP", "NodePort", "LoadBalancer"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def prepare(obj: Object, old: Object | None) -> None:
    """What was allocated is kept, what no longer goes with the type is dropped, the balancer's status with it."""
    spec = obj.setdefault("spec", {})
    if old is None:
        prepare_new(spec)
        obj["status"] = {"loadBalancer": {}}
        return
    prepare_changed(spec, old.get("spec") or {})
    if spec.get("type") != "LoadBalancer" and path_of(obj, "status", "loadBalancer"):
        obj["status"] = {**obj["status"], "loadBalancer": {}}


def _ports(obj: Object) -> str:
    shown = []
    for port in path_of(obj, "spec", "ports", default=()):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port', '')}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(shown) or NONE


def _cluster_ip(obj: Object) -> str:
    ips = path_of(obj, "spec", "clusterIPs", default=())
    return (ips[0] if ips else path_of(obj, "spec", "clusterIP")) or NONE


def _external_ip(obj: Object) -> Any:
    spec = obj.get("spec") or {}
    external = list(spec.get("externalIPs") or ())
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or ""
    if spec.get("type") != "LoadBalancer":
        return ",".join(external) or NONE
    given = path_of(obj, "status", "loadBalancer", "ingress", default=())
    addresses = [each.get("ip") or each.get("hostname") or "" for each in given]
    return ",".join([*addresses, *external]) or "<pending>"


KIND = Kind(
    group="",
    version="v1",
    name="Service",
    plural="services",
    namespaced=True,
    schema="io.k8s.api.core.v1.Service",
    create_on_update=True,
    short_names=("svc",),
    categories=("all",),
    status=True,
    subresources=("proxy",),
    name_check="service",
    defaults=set_defaults,
    prepare=prepare,
    rules=(service_errors,),
    status_rules=(service_status_errors,),
    columns=(
        NAME,
        Column("Type", at("spec", "type"), description="How the service can be reached."),
        Column("Cluster-IP", plain(_cluster_ip), description="Its address within the cluster."),
        Column("External-IP", plain(_external_ip), description="Its addresses outside."),
        Column("Port(s)", plain(_ports), description="Its ports, with node ports where it has some."),
        AGE,
        Column(
            "Selector",
            plain(lambda obj: labels_text(path_of(obj, "spec", "selector"))),
            priority=1,
            description="Labels of the pods behind it.",
        ),
    ),
    fields={
        "spec.clusterIP": lambda obj: path_of(obj, "spec", "clusterIP", default=""),
        "spec.type": lambda obj: path_of(obj, "spec", "type", default=""),
    },
)
