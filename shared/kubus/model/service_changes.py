"""What an update of a Service keeps, and what it lets go.

Addresses and ports are given by the cluster, so a client that leaves them out means the ones that are there: without
that, every client would have to read before it writes. And the type of a Service decides which of its fields mean
anything: a change of type lets go of those that no longer do, but only where the client did not touch them. What it
did touch is left for validation to refuse.

Pure, in place, on an object that nobody else holds. After `patchAllocatedValues`, `normalizeClusterIPs` and
`dropTypeDependentFields` of Kubernetes' Service registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubus.model.objects import Object

HEADLESS = "None"
FAMILIES = ("IPv4",)
"""What the cluster gives addresses of, the first by default."""
_ON_NODES = ("NodePort", "LoadBalancer")


def needs_address(spec: Object) -> bool:
    """Whether the type goes with a ClusterIP."""
    return spec.get("type") != "ExternalName"


def needs_node_ports(spec: Object) -> bool:
    """Whether the type goes with node ports."""
    return spec.get("type") in _ON_NODES


def needs_health_check(spec: Object) -> bool:
    """Whether a load balancer has to ask nodes if they have endpoints of their own."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def is_external(spec: Object) -> bool:
    """Whether somebody outside the cluster can reach it."""
    return needs_node_ports(spec) or (spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs")))


def is_headless(spec: Object) -> bool:
    """Whether it has no address and wants none."""
    return spec.get("clusterIP") == HEADLESS


def prepare_new(spec: Object) -> None:
    """A new Service: one address named is the list of one, and its families are said."""
    if needs_address(spec):
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        _set_families(spec, {})


def prepare_changed(spec: Object, before: Object) -> None:
    """An update: what was allocated is kept, what the new type has no use for goes."""
    _keep_allocated(spec, before)
    _align_addresses(spec, before)
    if needs_address(spec):
        _set_families(spec, before)
    _drop_useless(spec, before)


def _keep_allocated(spec: Object, before: Object) -> None:
    if needs_address(spec) and needs_address(before):
        if not spec.get("clusterIP") and before.get("clusterIP"):
            spec["clusterIP"] = before["clusterIP"]
        if not spec.get("clusterIPs") and before.get("clusterIPs") and _same(spec, before, "clusterIP"):
            spec["clusterIPs"] = list(before["clusterIPs"])
    if needs_node_ports(spec) and needs_node_ports(before):
        _keep_node_ports(spec, before)
    if needs_health_check(spec) and needs_health_check(before) and before.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = spec.get("healthCheckNodePort") or before["healthCheckNodePort"]


def _keep_node_ports(spec: Object, before: Object) -> None:
    """A port is known by its name; a number that is in use in both already cannot be handed on."""
    used = _node_ports(spec) & _node_ports(before)
    by_name = {port.get("name") or "": port.get("nodePort") for port in before.get("ports") or ()}
    for port in spec.get("ports") or ():
        had = by_name.get(port.get("name") or "")
        if not port.get("nodePort") and had and had not in used:
            port["nodePort"] = had


def _align_addresses(spec: Object, before: Object) -> None:
    """The single field and the list say the same, where the client changed only one of them."""
    if _same(spec, before, "clusterIP"):
        if before.get("clusterIPs") and not spec.get("clusterIPs") and spec.get("clusterIP"):
            spec["clusterIPs"] = list(before["clusterIPs"])
    elif _same(spec, before, "clusterIPs"):
        if spec.get("clusterIP"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        else:
            spec.pop("clusterIPs", None)


def _set_families(spec: Object, before: Object) -> None:
    """One address of the cluster's family, or what the client asks for."""
    alone = is_headless(spec) and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        kept = before.get("ipFamilyPolicy") if needs_address(before) else None
        spec["ipFamilyPolicy"] = kept or ("RequireDualStack" if alone else "SingleStack")
    if spec["ipFamilyPolicy"] == "SingleStack":
        for field in ("clusterIPs", "ipFamilies"):
            if len(spec.get(field) or ()) > 1 and _same(spec, before, field):
                spec[field] = spec[field][:1]
    if not spec.get("ipFamilies"):
        spec["ipFamilies"] = _families_of(spec.get("clusterIPs") or ()) or list(before.get("ipFamilies") or FAMILIES)
    if alone and len(spec["ipFamilies"]) == 1 and spec["ipFamilyPolicy"] != "SingleStack":
        spec["ipFamilies"] = [*spec["ipFamilies"], "IPv6" if spec["ipFamilies"][0] == "IPv4" else "IPv4"]


def _families_of(addresses: Sequence[str]) -> list[str]:
    return list(dict.fromkeys("IPv6" if ":" in each else "IPv4" for each in addresses if each and each != HEADLESS))


def _drop_useless(spec: Object, before: Object) -> None:
    if needs_address(before) and not needs_address(spec):
        if _same(spec, before, "clusterIP") and _same(spec, before, "clusterIPs"):
            _drop(spec, "clusterIP", "clusterIPs")
        _drop_same(spec, before, "ipFamilies", "ipFamilyPolicy")
    if needs_node_ports(before) and not needs_node_ports(spec) and _node_ports(before) >= _node_ports(spec):
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    if needs_health_check(before) and not needs_health_check(spec):
        _drop_same(spec, before, "healthCheckNodePort")
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        _drop_same(spec, before, "allocateLoadBalancerNodePorts", "loadBalancerClass")
    if is_external(before) and not is_external(spec):
        _drop_same(spec, before, "externalTrafficPolicy")


def _node_ports(spec: Object) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}


def _same(spec: Object, before: Object, field: str) -> bool:
    """Whether a field is what it was; absent and empty are one."""
    new: Any = spec.get(field) or None
    return bool(new == (before.get(field) or None))


def _drop_same(spec: Object, before: Object, *fields: str) -> None:
    for field in fields:
        if field in spec and spec[field] == before.get(field):
            del spec[field]


def _drop(spec: Object, *fields: str) -> None:
    for field in fields:
        spec.pop(field, None)
