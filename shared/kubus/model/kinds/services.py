"""Services.

ClusterIPs and node ports are allocated by the apiserver before the rules are asked; an update that leaves them out
keeps them.
"""

from __future__ import annotations

from typing import Any

from kubus.model.cells import AGE, NAME, NONE, at, labels_text, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.services import service_errors

KEPT = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
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
    if spec["type"] in ("NodePort", "LoadBalancer") and not spec.get("externalTrafficPolicy"):
        spec["externalTrafficPolicy"] = "Cluster"
    if spec["type"] in ("ClusterIP", "NodePort", "LoadBalancer"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def prepare(obj: Object, old: Object | None) -> None:
    """An update that says nothing of addresses and node ports keeps those that were allocated."""
    spec, before = obj.get("spec") or {}, (old or {}).get("spec") or {}
    if spec.get("type") == "ExternalName":
        for key in () if old is None or before.get("type") == "ExternalName" else (*KEPT, "internalTrafficPolicy"):
            if spec.get(key) == before.get(key):
                spec.pop(key, None)
        return
    if before.get("type") != "ExternalName" and not spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec.update({key: before[key] for key in KEPT if key in before and not spec.get(key)})
    _keep_node_ports(spec, before)


def _keep_node_ports(spec: Object, before: Object) -> None:
    wanted, had = spec.get("type") in ("NodePort", "LoadBalancer"), before.get("type") in ("NodePort", "LoadBalancer")
    old_ports = {(p.get("port"), p.get("protocol")): p.get("nodePort") for p in before.get("ports") or ()}
    for port in spec.get("ports") or ():
        old_port = old_ports.get((port.get("port"), port.get("protocol")))
        if wanted and had and not port.get("nodePort") and old_port:
            port["nodePort"] = old_port
        elif had and not wanted and old_port and port.get("nodePort") == old_port:
            del port["nodePort"]
    health = "healthCheckNodePort"
    if spec.get("externalTrafficPolicy") == "Local" and before.get(health) and not spec.get(health):
        spec[health] = before[health]


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
