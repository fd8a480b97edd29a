"""Pod ranges: each node gets its piece of the cluster's pod addresses (spec.podCIDR).

Two nodes must never get the same range, so one key decides for all: the controller reconciles the namespace
`kube-system`, which every cluster has once, and hands out ranges to all nodes without one in one plan. The work queue
then waits until the cache has seen them before the key is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from ipaddress import IPv4Network

from kubus.machinery.plans import Controller, Patch, Plan, Record, View, Watch
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.objects import Key, Object, metadata, name_of, path_of

SINGLE_KEY = Key(NAMESPACES.collection, "", "kube-system")


def reconcile(cluster: IPv4Network, mask_bits: int, namespace: Object, view: View, now: datetime) -> Plan:
    """A range for every node that has none."""
    if name_of(namespace) != SINGLE_KEY.name:
        return Plan()
    nodes = sorted(view.list(NODES), key=lambda node: (metadata(node).get("creationTimestamp") or "", name_of(node)))
    free = _free(cluster, mask_bits, nodes)
    actions: list[Patch | Record] = []
    for node in nodes:
        if path_of(node, "spec", "podCIDR"):
            continue
        if (given := next(free, None)) is None:
            message = f"Node {name_of(node)} status is now: CIDRNotAvailable"
            actions.append(Record(node, "CIDRNotAvailable", message, "Warning"))
            continue
        actions.append(Patch(NODES, "", name_of(node), {"spec": {"podCIDR": given, "podCIDRs": [given]}}))
    return Plan(tuple(actions))


def _free(cluster: IPv4Network, mask_bits: int, nodes: Iterable[Object]) -> Iterator[str]:
    """Pieces of the cluster's range that no Node has any part of; a range of another size was given by hand."""
    taken = {range_ for node in nodes if (range_ := _range_of(node)) is not None}
    odd = [each for each in taken if each.prefixlen != mask_bits]
    for piece in cluster.subnets(new_prefix=mask_bits):
        if piece not in taken and not any(piece.overlaps(each) for each in odd):
            yield str(piece)


def _range_of(node: Object) -> IPv4Network | None:
    try:
        return IPv4Network(str(path_of(node, "spec", "podCIDR")), strict=False)
    except ValueError:  # none, or of the other family
        return None


def _one_key(node: Object, view: View) -> list[Key]:
    here = view.get(NODES, "", name_of(node))
    return [SINGLE_KEY] if here is None or not path_of(here, "spec", "podCIDR") else []


def controller(pod_cidr: str, node_cidr_mask_bits: int) -> Controller:
    """The controller for a cluster's range and the size of a node's piece."""
    return Controller(
        name="node-ipam-controller",
        reconciles=NAMESPACES,
        reconcile=partial(reconcile, IPv4Network(pod_cidr), node_cidr_mask_bits),
        watches=(Watch(NODES, _one_key),),
    )
