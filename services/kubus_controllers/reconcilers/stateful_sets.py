"""StatefulSet: pods with names of their own, one after the other.

In order (the default) a pod is made when all before it are ready, and taken away when all after it are gone; in
parallel nobody waits. An update goes from the last pod to the first and stops at the partition, one pod at a time, each
when the one after it is ready again; what is below the partition is made from the template it had before. A name never
stands for two pods at once: the next one is made when the last one's object is gone.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from kubus.machinery.plans import Action, Controller, Create, Delete, Plan, Record, SetStatus, View
from kubus.model.kinds.controllerrevisions import KIND as REVISIONS
from kubus.model.kinds.persistentvolumeclaims import KIND as CLAIMS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.statefulsets import KIND as STATEFUL_SETS
from kubus.model.objects import (
    Object,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    uid_of,
)
from kubus_controllers.reconcilers.adoption import ORPHANS, adopt, orphans, release, selector_of, waking
from kubus_controllers.reconcilers.pods_of import (
    available_in,
    is_controlled_by,
    is_finished,
    is_ready,
    phase_of,
    soonest,
)
from kubus_controllers.reconcilers.revisions import (
    HASH,
    ORPHANED_REVISIONS,
    adopt_revisions,
    history,
    outdated,
    revised,
)
from kubus_controllers.reconcilers.stateful_pods import claims_of, new_pod, ordinal_of, pod_name


class _Set(NamedTuple):
    """What a step is decided on."""

    object: Object
    start: int
    replicas: int
    pods: Mapping[int, Object]
    available: frozenset[str]
    """Uids of pods that are ready for long enough."""
    current: str
    """Name of the revision that pods below the partition have."""
    update: str
    templates: Mapping[str, Object]
    """By revision."""

    @property
    def in_order(self) -> bool:
        """Whether each waits for the one before."""
        return bool(path_of(self.object, "spec", "podManagementPolicy") != "Parallel")

    @property
    def partition(self) -> int:
        """The first ordinal that is updated."""
        rolling = path_of(self.object, "spec", "updateStrategy", "rollingUpdate", default={})
        return self.start + int(rolling.get("partition") or 0)

    @property
    def ordinals(self) -> range:
        """The ordinals that there should be."""
        return range(self.start, self.start + self.replicas)

    def is_well(self, pod: Object) -> bool:
        """Whether nobody has to wait for a pod."""
        return not is_deleting(pod) and uid_of(pod) in self.available


def reconcile(stateful_set: Object, view: View, now: datetime) -> Plan:
    """The next step, and the status."""
    if adoptions := adopt_revisions(STATEFUL_SETS, stateful_set, view):
        return Plan(tuple(adoptions))  # the revisions' changes wake this set again
    revisions = history(stateful_set, view)
    newest = revised(STATEFUL_SETS, stateful_set, revisions, view)
    if any(isinstance(action, SetStatus) for action in newest.actions):
        return Plan(newest.actions)
    pods, owning = _pods(stateful_set, view)
    minimum = path_of(stateful_set, "spec", "minReadySeconds", default=0)
    waits = {uid_of(pod): available_in(pod, minimum, now) for pod in pods.values()}
    templates = {name_of(each): path_of(each, "data", "spec", "template", default={}) for each in revisions}
    current = path_of(stateful_set, "status", "currentRevision", default="")
    found = _Set(
        object=stateful_set,
        start=path_of(stateful_set, "spec", "ordinals", "start", default=0),
        replicas=path_of(stateful_set, "spec", "replicas", default=1),
        pods=pods,
        available=frozenset(uid for uid, wait in waits.items() if wait is not None and not wait),
        current=current if current in templates else newest.name,
        update=newest.name,
        templates={**templates, newest.name: path_of(stateful_set, "spec", "template", default={})},
    )
    actions: list[Action] = [*newest.actions, *owning]
    if not is_deleting(stateful_set):
        steps = list(_steps(found, view))
        actions += steps
        if not steps:
            live = {labels_of(pod).get(HASH, "") for pod in pods.values()} | {found.current, found.update}
            actions += outdated(stateful_set, revisions, live)
    status = _status(found)
    if status != stateful_set.get("status"):
        actions.append(SetStatus(STATEFUL_SETS, {**stateful_set, "status": status}))
    return Plan(tuple(actions), again_after=soonest(waits.values()))


def _pods(stateful_set: Object, view: View) -> tuple[dict[int, Object], list[Action]]:
    """The set's pods by ordinal, and what is to be done so that they all are."""
    selector = selector_of(stateful_set)
    mine: dict[int, Object] = {}
    actions: list[Action] = []
    for pod in view.owned(PODS, uid_of(stateful_set)):
        if not is_controlled_by(pod, uid_of(stateful_set)):
            continue
        ordinal = ordinal_of(stateful_set, pod)
        if ordinal is None or not selector.matches(labels_of(pod)):
            actions.append(release(stateful_set, pod))
        else:
            mine[ordinal] = pod
    for pod in orphans(stateful_set, view, selector):
        ordinal = ordinal_of(stateful_set, pod)
        if ordinal is not None and not is_deleting(pod):
            actions.append(adopt(STATEFUL_SETS, stateful_set, pod))
            mine[ordinal] = pod
    return mine, actions


def _steps(found: _Set, view: View) -> Iterator[Action]:
    """What may be done now: fill, then shrink, then update."""
    filling = list(_fill(found, view))
    yield from filling
    if found.in_order and (filling or not _all_well(found, found.ordinals)):
        return
    condemned = sorted((each for each in found.pods if each not in found.ordinals), reverse=True)
    unwell = [ordinal for ordinal, pod in found.pods.items() if not found.is_well(pod)]
    for ordinal in condemned:
        pod = found.pods[ordinal]
        waits = found.in_order and ordinal in unwell and ordinal != min(unwell)
        if not is_deleting(pod) and not waits:
            yield from _delete(found.object, pod)
        if found.in_order:
            return
    if not filling and not condemned:
        yield from _update(found)


def _all_well(found: _Set, ordinals: Sequence[int]) -> bool:
    return all(each in found.pods and found.is_well(found.pods[each]) for each in ordinals)


def _fill(found: _Set, view: View) -> Iterator[Action]:
    """The pods that are missing; in order only the first, when those before it are well."""
    for ordinal in found.ordinals:
        pod = found.pods.get(ordinal)
        if pod is None:
            yield from _create(found, ordinal, view)
            if found.in_order:
                return
        elif is_finished(pod) and not is_deleting(pod):
            ended = "failed" if phase_of(pod) == "Failed" else "terminated"
            message = (
                f"StatefulSet {namespace_of(pod)}/{name_of(found.object)} is recreating {ended} Pod {name_of(pod)}"
            )
            yield Delete(PODS, namespace_of(pod), name_of(pod), uid_of(pod))
            yield Record(found.object, f"Recreating{ended.title()}Pod", message, "Warning")
            if found.in_order:
                return
        elif found.in_order and not found.is_well(pod):
            return


def _create(found: _Set, ordinal: int, view: View) -> Iterator[Action]:
    owner = found.object
    for claim in claims_of(owner, ordinal):
        if view.get(CLAIMS, namespace_of(claim), name_of(claim)) is None:
            yield Create(CLAIMS, claim)
            message = f"create Claim {name_of(claim)} Pod {pod_name(owner, ordinal)} in StatefulSet {name_of(owner)}"
            yield Record(owner, "SuccessfulCreate", f"{message} success")
    revision = found.current if _keeps_current(found, ordinal) else found.update
    yield Create(PODS, new_pod(owner, found.templates[revision], revision, ordinal))
    message = f"create Pod {pod_name(owner, ordinal)} in StatefulSet {name_of(owner)} successful"
    yield Record(owner, "SuccessfulCreate", message)


def _keeps_current(found: _Set, ordinal: int) -> bool:
    """Whether a new pod is made from the template before the update."""
    if path_of(found.object, "spec", "updateStrategy", "type") != "RollingUpdate":
        return False
    return ordinal < found.partition


def _delete(owner: Object, pod: Object) -> Iterator[Action]:
    yield Delete(PODS, namespace_of(pod), name_of(pod), uid_of(pod))
    message = f"delete Pod {name_of(pod)} in StatefulSet {name_of(owner)} successful"
    yield Record(owner, "SuccessfulDelete", message)


def _update(found: _Set) -> Iterator[Action]:
    """The last pod that is not of the new template, if all after it are well."""
    if path_of(found.object, "spec", "updateStrategy", "type") != "RollingUpdate":
        return
    for ordinal in reversed(found.ordinals):
        if ordinal < found.partition:
            return
        pod = found.pods.get(ordinal)
        if pod is None:
            return
        if labels_of(pod).get(HASH) != found.update:
            if not is_deleting(pod):
                yield from _delete(found.object, pod)
            return
        if not found.is_well(pod):
            return


def _status(found: _Set) -> Object:
    here = [pod for ordinal, pod in found.pods.items() if not is_finished(pod)]
    staying = [pod for pod in here if not is_deleting(pod)]
    counts = {
        "readyReplicas": sum(map(is_ready, here)),
        "currentReplicas": sum(labels_of(pod).get(HASH) == found.current for pod in staying),
        "updatedReplicas": sum(labels_of(pod).get(HASH) == found.update for pod in staying),
    }
    old = found.object.get("status") or {}
    status: Object = {
        "replicas": len(here),
        "availableReplicas": sum(uid_of(pod) in found.available for pod in here),
        "observedGeneration": metadata(found.object).get("generation", 0),
        "currentRevision": found.current,
        "updateRevision": found.update,
        "collisionCount": old.get("collisionCount", 0),
        **{field: count for field, count in counts.items() if count},
    }
    done = counts["updatedReplicas"] == counts["readyReplicas"] == len(here) == found.replicas
    if done and path_of(found.object, "spec", "updateStrategy", "type") == "RollingUpdate":
        status["currentRevision"] = found.update
        if counts["updatedReplicas"]:
            status["currentReplicas"] = counts["updatedReplicas"]
    return {**status, "conditions": old["conditions"]} if old.get("conditions") else status


CONTROLLER = Controller(
    name="statefulset-controller",
    reconciles=STATEFUL_SETS,
    reconcile=reconcile,
    owns=(PODS, REVISIONS),
    watches=(waking(STATEFUL_SETS), waking(STATEFUL_SETS, kind=REVISIONS)),
    reads=(CLAIMS,),
    indexes=(ORPHANS, ORPHANED_REVISIONS),
)
