"""The arithmetic of a rolling update: how many pods each ReplicaSet of a Deployment should have next.

Functions of numbers and ReplicaSets only; `deployments` turns their answers into a plan. They follow
pkg/controller/deployment/util/deployment_util.go and rolling.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

from kubus.model.objects import Object, annotations_of, metadata, name_of, path_of

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"

Sizes = list[tuple[Object, int]]
"""ReplicaSets and the replicas they should have; only those that change."""


def replicas_of(obj: Object) -> int:
    """spec.replicas; 1 where it is not set."""
    value = path_of(obj, "spec", "replicas")
    return 1 if value is None else int(value)


def surge_and_unavailable(deployment: Object) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods; percentages of spec.replicas, and never both zero."""
    if path_of(deployment, "spec", "strategy", "type") == "Recreate":
        return 0, 0
    rolling = path_of(deployment, "spec", "strategy", "rollingUpdate", default={})
    replicas = replicas_of(deployment)
    surge = resolved(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = resolved(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if not surge and not unavailable:
        unavailable = 1
    return surge, min(unavailable, replicas)


def resolved(value: Any, of: int, *, up: bool) -> int:
    """What a number or a percentage of `of` comes to, rounded up or down."""
    if isinstance(value, int):
        return value
    share = int(str(value).removesuffix("%")) * of / 100
    return ceil(share) if up else floor(share)


def new_size(deployment: Object, new: Object, every: Sequence[Object]) -> int:
    """How many replicas the new ReplicaSet should have now: up to the surge, never beyond what is asked for."""
    wanted = replicas_of(deployment)
    if path_of(deployment, "spec", "strategy", "type") == "Recreate" or replicas_of(new) >= wanted:
        return wanted
    surge, _ = surge_and_unavailable(deployment)
    room = wanted + surge - sum(map(replicas_of, every))
    if room <= 0:
        return replicas_of(new)
    return min(wanted, replicas_of(new) + room)


def old_sizes(deployment: Object, new: Object, old: Sequence[Object]) -> Sizes:
    """How the old ReplicaSets shrink in a rolling update: the unhealthy pods first, then as availability allows."""
    _, unavailable = surge_and_unavailable(deployment)
    minimum = replicas_of(deployment) - unavailable
    every = [new, *old]
    new_missing = replicas_of(new) - path_of(new, "status", "availableReplicas", default=0)
    budget = sum(map(replicas_of, every)) - minimum - new_missing
    if budget <= 0:
        return []
    sizes = {name_of(each): replicas_of(each) for each in old}
    for each in sorted(old, key=_creation):
        unhealthy = replicas_of(each) - path_of(each, "status", "availableReplicas", default=0)
        step = min(max(unhealthy, 0), budget)
        sizes[name_of(each)] -= step
        budget -= step
    available = sum(path_of(each, "status", "availableReplicas", default=0) for each in every)
    spare = max(available - minimum, 0)
    for each in sorted(old, key=_creation):
        step = min(sizes[name_of(each)], spare)
        sizes[name_of(each)] -= step
        spare -= step
    return [(each, sizes[name_of(each)]) for each in old if sizes[name_of(each)] != replicas_of(each)]


def proportional_sizes(deployment: Object, every: Sequence[Object]) -> Sizes:
    """How a scaled Deployment shares out the difference among ReplicaSets in the midst of a rollout.

    One ReplicaSet with pods takes it all; several take their share, the rest goes to the largest.
    """
    active = [each for each in every if replicas_of(each) > 0]
    wanted = replicas_of(deployment)
    if len(active) <= 1:
        only = active or sorted(every, key=_creation)[-1:]
        return [(each, wanted) for each in only if replicas_of(each) != wanted]
    surge, _ = surge_and_unavailable(deployment)
    total = sum(map(replicas_of, active))
    difference = (wanted + surge if wanted else 0) - total
    if not difference:
        return []
    newest_first = sorted(active, key=_creation, reverse=True)
    order = sorted(newest_first, key=replicas_of, reverse=True)
    sizes: dict[str, int] = {}
    left = difference
    for each in order:
        share = _share(each, difference, deployment, total)
        share = max(min(share, left), 0) if difference > 0 else min(max(share, left), 0)
        sizes[name_of(each)] = replicas_of(each) + share
        left -= share
    largest = name_of(order[0])
    sizes[largest] = max(sizes[largest] + left, 0)
    return [(each, sizes[name_of(each)]) for each in order if sizes[name_of(each)] != replicas_of(each)]


def _share(replica_set: Object, difference: int, deployment: Object, total: int) -> int:
    """The part of a difference that is a ReplicaSet's, by its size when the Deployment last had its full size."""
    size = replicas_of(replica_set)
    if not replicas_of(deployment):
        return -size
    surge, _ = surge_and_unavailable(deployment)
    was = _annotated(replica_set, MAX) or total
    return round(size * (replicas_of(deployment) + surge) / was) - size if difference else 0


def is_scaling(deployment: Object, every: Sequence[Object]) -> bool:
    """Whether the Deployment's size has changed since its ReplicaSets were last written."""
    wanted = replicas_of(deployment)
    known = [_annotated(each, DESIRED) for each in every if replicas_of(each) > 0]
    return any(each is not None and each != wanted for each in known)


def is_complete(deployment: Object, status: Object) -> bool:
    """Whether every pod is of the new template, available, and no other is left."""
    wanted = replicas_of(deployment)
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


def _annotated(obj: Object, annotation: str) -> int | None:
    try:
        return int(annotations_of(obj)[annotation])
    except (KeyError, ValueError):
        return None


def _creation(obj: Object) -> tuple[str, str]:
    return (metadata(obj).get("creationTimestamp") or "", name_of(obj))
