"""Nodes as the scheduler sees them: what is fixed (facts) apart from what is used up (capacity)."""

from __future__ import annotations

from typing import NamedTuple

from kubus.model.objects import Object, labels_of, name_of, path_of
from kubus.model.taints import Taint, taints_of
from kubus_scheduler.needs import amount


class NodeFacts(NamedTuple):
    """What decides whether a node suits a pod, whatever runs there."""

    name: str
    labels: dict[str, str]
    taints: tuple[Taint, ...]
    unschedulable: bool


class Capacity(NamedTuple):
    """What a node has to give."""

    cpu_milli: int
    memory_bytes: int
    ephemeral_bytes: int
    pods: int
    extended: dict[str, int]


def facts_of(node: Object) -> NodeFacts:
    """The facts of a Node object."""
    spec = node.get("spec") or {}
    return NodeFacts(name_of(node), labels_of(node), taints_of(spec), bool(spec.get("unschedulable")))


def capacity_of(node: Object) -> Capacity:
    """The allocatable resources of a Node object."""
    given = {
        name: amount(name, quantity) for name, quantity in path_of(node, "status", "allocatable", default={}).items()
    }
    return Capacity(
        cpu_milli=given.pop("cpu", 0),
        memory_bytes=given.pop("memory", 0),
        ephemeral_bytes=given.pop("ephemeral-storage", 0),
        pods=given.pop("pods", 0),
        extended=given,
    )
