"""Taints and tolerations.

A node's taint keeps away every pod that does not tolerate it. `NoSchedule` and `NoExecute` forbid placing a pod;
`PreferNoSchedule` only makes the node less attractive; `NoExecute` also drives out those that are there, at once or
when the seconds are over that they tolerate it. An unready node is known by its taints alone: the node lifecycle
controller puts them there. Scheduler and controllers ask here, so that nobody places a pod that another will evict.

Follows https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

FORBIDDING = ("NoSchedule", "NoExecute")
DISCOURAGING = ("PreferNoSchedule",)


class Taint(NamedTuple):
    """A node's taint."""

    key: str
    value: str
    effect: str


UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
"""What `spec.unschedulable` amounts to, for pods that tolerate it (those of daemons)."""


class Toleration(NamedTuple):
    """A pod's toleration."""

    key: str
    operator: str
    value: str
    effect: str
    seconds: int | None = None
    """How long it tolerates a NoExecute taint; None for ever."""

    def tolerates(self, taint: Taint) -> bool:
        """Whether the taint does not matter to the pod; an empty key or effect stands for all of them."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        if self.operator == "Exists":
            return True
        return self.operator in ("", "Equal") and self.value == taint.value


def taint_of(taint: dict[str, Any]) -> Taint:
    """A taint as a value; a field that is missing is ""."""
    return Taint(taint.get("key") or "", taint.get("value") or "", taint.get("effect") or "")


def taints_of(node_spec: dict[str, Any]) -> tuple[Taint, ...]:
    """The taints of a node, in their order."""
    return tuple(taint_of(each) for each in node_spec.get("taints") or ())


def tolerations_of(pod_spec: dict[str, Any]) -> tuple[Toleration, ...]:
    """The tolerations of a pod, in their order."""
    return tuple(
        Toleration(
            each.get("key") or "",
            each.get("operator") or "",
            each.get("value") or "",
            each.get("effect") or "",
            each.get("tolerationSeconds"),
        )
        for each in pod_spec.get("tolerations") or ()
    )


def untolerated(
    taints: Iterable[Taint], tolerations: tuple[Toleration, ...], effects: tuple[str, ...]
) -> tuple[Taint, ...]:
    """The taints with one of these effects that no toleration covers."""
    return tuple(
        taint for taint in taints if taint.effect in effects and not any(each.tolerates(taint) for each in tolerations)
    )
