"""PodDisruptionBudgets: how many pods may be evicted now.

A budget's status is what evictions go by: the apiserver takes `disruptionsAllowed` down by one for each and notes the
pod in `disruptedPods`, so that it no longer counts as healthy here, though its deletion has not been seen yet. A note
that nothing came of within two minutes is dropped. How many pods there should be is asked of whoever controls them,
by what its `scale` shows: a ReplicaSet or its Deployment, a StatefulSet, a custom resource that can be scaled. Where
that is unknown nothing may be evicted, and the condition says why.

A pod that was to be disrupted and is still there two minutes later has its condition DisruptionTarget taken back.

Source: https://kubernetes.io/docs/tasks/run-application/configure-pdb/ and pkg/controller/disruption.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from kubus.machinery.plans import CONVERGED, Action, Controller, Plan, Record, SetStatus, View, Watch
from kubus.model.kinds import Kind
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.poddisruptionbudgets import KIND as BUDGETS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import (
    Key,
    Object,
    controller_of,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    uid_of,
)
from kubus.model.selectors import LabelSelector
from kubus.model.times import parse_time
from kubus_controllers.reconcilers.conditions import Said, with_condition
from kubus_controllers.reconcilers.pods_of import condition_of, is_finished, is_ready, soonest
from kubus_controllers.reconcilers.rollouts import resolved

PATIENCE = timedelta(minutes=2)
"""How long an eviction may take from the apiserver's leave to the pod's deletion."""
CONDITION = "DisruptionAllowed"
TARGET = "DisruptionTarget"
Kinds = Mapping[tuple[str, str], Kind]
"""By group and kind, as owner references name them."""


class SyncFailed(Exception):
    """How many pods there should be cannot be said; the text says why."""


class _Count(NamedTuple):
    expected: int
    desired: int
    unmanaged: bool = False
    """Whether pods without a controller were left out."""


def reconcile(kinds: Kinds, either: Object, view: View, now: datetime) -> Plan:
    """A budget's status; or, of a pod, whether it is no longer about to be disrupted."""
    return _forgotten(either, now) if either["kind"] == PODS.name else _counted(kinds, either, view, now)


def _counted(kinds: Kinds, budget: Object, view: View, now: datetime) -> Plan:
    selector = LabelSelector.from_object(path_of(budget, "spec", "selector"))
    pods = [pod for pod in view.list(PODS, namespace_of(budget)) if selector.matches(labels_of(pod))]
    custom = {(kind.group, kind.name): kind for kind in view.custom_kinds()}
    try:
        count = _count({**kinds, **custom}, budget, pods, view)
    except SyncFailed as failure:
        return _failed(budget, str(failure), now)
    disrupted, waits = _disrupted(budget, pods, now)
    healthy = sum(is_ready(pod) and not is_deleting(pod) and name_of(pod) not in disrupted for pod in pods)
    allowed = max(0, healthy - count.desired) if count.expected > 0 else 0
    said = Said("True", "SufficientPods", "") if allowed else Said("False", "InsufficientPods", "")
    generation = metadata(budget).get("generation", 0)
    old = budget.get("status") or {}
    status: Object = {
        "currentHealthy": healthy,
        "desiredHealthy": count.desired,
        "disruptionsAllowed": allowed,
        "expectedPods": count.expected,
        "observedGeneration": generation,
        "conditions": with_condition(
            old.get("conditions") or (), type_=CONDITION, said=said, now=now, generation=generation
        ),
    }
    if disrupted:
        status["disruptedPods"] = disrupted
    events = [*_overdue(budget, pods, now), *_remarks(budget, pods, count)]
    return Plan(_set_status(budget, status, events), again_after=soonest(waits))


def _count(kinds: Kinds, budget: Object, pods: Sequence[Object], view: View) -> _Count:
    """How many pods there should be, and how many of them must be healthy."""
    most = path_of(budget, "spec", "maxUnavailable")
    if most is not None:
        expected, unmanaged = _expected(kinds, pods, view)
        return _Count(expected, max(0, expected - resolved(most, expected, up=True)), unmanaged)
    least = path_of(budget, "spec", "minAvailable")
    if isinstance(least, str):
        expected, unmanaged = _expected(kinds, pods, view)
        return _Count(expected, resolved(least, expected, up=True), unmanaged)
    return _Count(len(pods), 0) if least is None else _Count(len(pods), int(least))


def _expected(kinds: Kinds, pods: Iterable[Object], view: View) -> tuple[int, bool]:
    """The sum of what the pods' controllers are scaled to; whether there are pods that have none."""
    scales: dict[str, int] = {}
    unmanaged = False
    for pod in pods:
        owner = controller_of(pod)
        if owner is None:
            unmanaged = True
        elif owner.get("uid", "") not in scales:
            try:
                top = _scaled(kinds, name_of(pod), namespace_of(pod), owner, view)
            except SyncFailed:
                if is_deleting(pod):  # it outlives its controller for a moment, and is healthy no more
                    continue
                raise
            scales |= {owner.get("uid", ""): 0, uid_of(top.object): top.replicas}
    return sum(scales.values()), unmanaged


class _Scaled(NamedTuple):
    object: Object
    replicas: int


def _scaled(kinds: Kinds, pod: str, namespace: str, owner: Mapping[str, Any], view: View) -> _Scaled:
    """Whoever says how many pods there are: the pod's controller, or the Deployment that controls that one.

    Raises:
        SyncFailed: nobody does.
    """
    group = str(owner.get("apiVersion", "")).rpartition("/")[0]
    kind = kinds.get((group, owner.get("kind", "")))
    if kind is None:
        raise SyncFailed(f'no matches for kind "{owner.get("kind")}" in group "{group}"')
    if kind.scale is None:
        raise SyncFailed(f"{kind.resource} does not implement the scale subresource")
    found = view.get(kind, namespace if kind.namespaced else "", owner.get("name", ""))
    if found is None or uid_of(found) != owner.get("uid"):
        raise SyncFailed(f'found no controllers for pod "{pod}"')
    above = controller_of(found)
    if above is not None and above.get("kind") == DEPLOYMENTS.name and kind is not DEPLOYMENTS:
        return _scaled(kinds, pod, namespace, above, view)
    return _Scaled(found, int(path_of(found, *kind.scale.replicas, default=1 if kind.custom is None else 0)))


def _disrupted(budget: Object, pods: Iterable[Object], now: datetime) -> tuple[dict[str, str], list[timedelta]]:
    """The pods that are on their way out by leave of an eviction, and how long each may still take."""
    noted = path_of(budget, "status", "disruptedPods", default={})
    kept, waits = {}, []
    for pod in pods:
        since = noted.get(name_of(pod))
        if since is None or is_deleting(pod):
            continue
        left = parse_time(since) + PATIENCE - now
        if left > timedelta(0):
            kept[name_of(pod)] = since
            waits.append(left)
    return kept, waits


def _overdue(budget: Object, pods: Iterable[Object], now: datetime) -> Iterable[Record]:
    noted = path_of(budget, "status", "disruptedPods", default={})
    for pod in pods:
        since = noted.get(name_of(pod))
        if since is not None and not is_deleting(pod) and parse_time(since) + PATIENCE <= now:
            message = f"Pod was expected by PDB {namespace_of(budget)}/{name_of(budget)} to be deleted but it wasn't"
            yield Record(pod, "NotDeleted", message, "Warning")


def _remarks(budget: Object, pods: Sequence[Object], count: _Count) -> Iterable[Record]:
    if not pods:
        yield Record(budget, "NoPods", "No matching pods found")
    if count.unmanaged:
        message = (
            "Pods selected by this PodDisruptionBudget were found to be unmanaged. As a result, the status of the PDB "
            "cannot be calculated correctly, which may result in undefined behavior. To account for these pods please "
            'set ".spec.minAvailable" field of the PDB to an integer value.'
        )
        yield Record(budget, "UnmanagedPods", message, "Warning")


def _failed(budget: Object, why: str, now: datetime) -> Plan:
    """Nothing may be evicted as long as it is not known what there should be."""
    old = budget.get("status") or {}
    said = Said("False", "SyncFailed", why)
    generation = old.get("observedGeneration")
    conditions = with_condition(old.get("conditions") or (), type_=CONDITION, said=said, now=now, generation=generation)
    counts = {"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
    status = {**counts, **old, "disruptionsAllowed": 0, "conditions": conditions}
    message = f"Failed to calculate the number of expected pods: {why}"
    return Plan(_set_status(budget, status, [Record(budget, "CalculateExpectedPodCountFailed", message, "Warning")]))


def _set_status(budget: Object, status: Object, events: Iterable[Record]) -> tuple[Action, ...]:
    """Nothing is written, and nothing said, that is known already."""
    if status == budget.get("status"):
        return ()
    return SetStatus(BUDGETS, {**budget, "status": status}), *events


def _forgotten(pod: Object, now: datetime) -> Plan:
    """Take back that a pod is about to be disrupted when nothing came of it."""
    condition = condition_of(pod, TARGET)
    if not _may_be_stale(pod) or condition is None:
        return CONVERGED
    left = parse_time(condition["lastTransitionTime"]) + PATIENCE - now
    if left > timedelta(0):
        return Plan(again_after=left)
    conditions = with_condition(
        path_of(pod, "status", "conditions", default=()), type_=TARGET, said=Said("False", "", ""), now=now
    )
    return Plan((SetStatus(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}}),))


def _may_be_stale(pod: Object) -> bool:
    condition = condition_of(pod, TARGET)
    if condition is None or condition.get("status") != "True" or is_deleting(pod) or is_finished(pod):
        return False
    return condition.get("reason") != "TerminationByKubelet"


def _of_pod(pod: Object, view: View) -> list[Key]:
    """The budgets of a pod, and the pod itself if it may have to be forgotten."""
    keys = [
        Key(BUDGETS.collection, namespace_of(budget), name_of(budget))
        for budget in view.list(BUDGETS, namespace_of(pod))
        if LabelSelector.from_object(path_of(budget, "spec", "selector")).matches(labels_of(pod))
    ]
    return [*keys, Key(PODS.collection, namespace_of(pod), name_of(pod))] if _may_be_stale(pod) else keys


def _of_scaled(scaled: Object, view: View) -> list[Key]:
    """The budgets that may count on what a controller of pods says: those of its namespace."""
    return [
        Key(BUDGETS.collection, namespace_of(budget), name_of(budget))
        for budget in view.list(BUDGETS, namespace_of(scaled))
    ]


def controller(every: Sequence[Kind]) -> Controller:
    """The controller, given all kinds that are stored."""
    return Controller(
        name="disruption-controller",
        reconciles=BUDGETS,
        reconcile=partial(reconcile, {(kind.group, kind.name): kind for kind in every}),
        watches=(Watch(PODS, _of_pod), *(Watch(kind, _of_scaled) for kind in every if kind.scale)),
        watches_custom=lambda kind: (Watch(kind, _of_scaled),) if kind.scale and kind.namespaced else (),
    )
