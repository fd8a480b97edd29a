"""Which pods a node takes: pure. A pod that was put on a node by name meets no scheduler, and the node may refuse it.

Reasons and messages are those of Kubernetes' kubelet (pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/sysctl).
As there, an extended resource that the node does not have at all is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from kubus.model.node_selectors import all_match, from_pairs, required_nodes
from kubus.model.objects import Object, labels_of, name_of, path_of
from kubus.model.resource_totals import REQUESTS, Amounts, add, amounts, pod_totals
from kubus.model.taints import taints_of, tolerations_of, untolerated
from kubus_kubelet.states import Rejection

ANY_ADDRESS = "0.0.0.0"
FIRST_RESOURCES = ("cpu", "memory", "ephemeral-storage")
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced": "IPC",
    "net.ipv4.ip_local_port_range": "Net",
    "net.ipv4.tcp_syncookies": "Net",
    "net.ipv4.ping_group_range": "Net",
    "net.ipv4.ip_unprivileged_port_start": "Net",
    "net.ipv4.ip_local_reserved_ports": "Net",
    "net.ipv4.tcp_keepalive_time": "Net",
    "net.ipv4.tcp_fin_timeout": "Net",
    "net.ipv4.tcp_keepalive_intvl": "Net",
    "net.ipv4.tcp_keepalive_probes": "Net",
    "net.ipv4.tcp_rmem": "Net",
    "net.ipv4.tcp_wmem": "Net",
}
"""https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls"""


class HostPort(NamedTuple):
    """A port of the node that a pod takes."""

    protocol: str
    address: str
    port: int

    def conflicts(self, other: HostPort) -> bool:
        """Whether the two cannot be taken at once; an unspecified address takes them all."""
        if (self.port, self.protocol) != (other.port, other.protocol):
            return False
        return self.address == other.address or ANY_ADDRESS in (self.address, other.address)


def rejection_of(pod: Object, others: Sequence[Object], node: Object) -> Rejection | None:
    """Why a node does not take a pod beside those that it has; None if it does."""
    spec, specs = pod["spec"], [each["spec"] for each in others]
    return (
        _forbidden_sysctl(spec)
        or _missing_resource(spec, specs, node)
        or _other_node(spec, node)
        or _taken_port(spec, specs)
        or _taint(spec, node)
    )


def _forbidden_sysctl(spec: Object) -> Rejection | None:
    host = {"IPC": bool(spec.get("hostIPC")), "Net": bool(spec.get("hostNetwork"))}
    for each in path_of(spec, "securityContext", "sysctls", default=[]):
        name = str(each["name"]).replace("/", ".")
        group = SAFE_SYSCTLS.get(name)
        if group is None:
            return Rejection("SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted')
        if host[group]:
            return Rejection("SysctlForbidden", f'forbidden sysctl: "{name}" not allowed with host {group} enabled')
    return None


def _missing_resource(spec: Object, others: Sequence[Object], node: Object) -> Rejection | None:
    room = amounts(path_of(node, "status", "allocatable", default={}))
    if "pods" in room and len(others) + 1 > room["pods"]:
        return _out_of("pods", Fraction(1), Fraction(len(others)), room["pods"])
    used: Amounts = {}
    for each in others:
        add(used, pod_totals(each, REQUESTS))
    wanted = pod_totals(spec, REQUESTS)
    for name in (*FIRST_RESOURCES, *sorted(set(wanted) - set(FIRST_RESOURCES))):
        amount = wanted.get(name, Fraction(0))
        if name not in room and "/" in name:
            continue
        taken, whole = used.get(name, Fraction(0)), room.get(name, Fraction(0))
        if amount > 0 and amount > whole - taken:
            return _out_of(name, amount, taken, whole)
    return None


def _out_of(name: str, wanted: Fraction, used: Fraction, whole: Fraction) -> Rejection:
    scale = 1000 if name == "cpu" else 1
    shown = [-(-each * scale // 1) for each in (wanted, used, whole)]
    words = f"requested: {shown[0]}, used: {shown[1]}, capacity: {shown[2]}"
    return Rejection(f"OutOf{name}", f"Node didn't have enough resource: {name}, {words}")


def _other_node(spec: Object, node: Object) -> Rejection | None:
    labels, terms = labels_of(node), required_nodes(spec)
    chosen = all_match(from_pairs(spec.get("nodeSelector")), labels)
    if chosen and (terms is None or any(each.matches(name_of(node), labels) for each in terms)):
        return None
    return _predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")


def host_ports(spec: Object) -> Iterator[HostPort]:
    """The node's ports that a pod's containers and sidecars take."""
    sidecars = (each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always")
    for container in (*sidecars, *spec["containers"]):
        for each in container.get("ports") or ():
            if each.get("hostPort"):
                yield HostPort(each.get("protocol") or "TCP", each.get("hostIP") or ANY_ADDRESS, int(each["hostPort"]))


def _taken_port(spec: Object, others: Sequence[Object]) -> Rejection | None:
    taken = [port for each in others for port in host_ports(each)]
    if any(wanted.conflicts(other) for wanted in host_ports(spec) for other in taken):
        return _predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    return None


def _taint(spec: Object, node: Object) -> Rejection | None:
    if untolerated(taints_of(node.get("spec") or {}), tolerations_of(spec), ("NoExecute",)):
        return _predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    return None


def _predicate(name: str, words: str) -> Rejection:
    return Rejection(name, f"Predicate {name} failed: {words}")
