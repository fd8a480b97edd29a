"""DaemonSet: one pod on every node that is meant.

Which nodes are meant says `daemon_nodes`; here pods are made, replaced when they have ended, taken from nodes that are
meant no longer, and updated: as many at a time as `maxUnavailable` lets be missing, or, with `maxSurge`, the new one
beside the old one until it is available.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from kubus.machinery.plans import Action, Controller, Create, Delete, Plan, Record, SetStatus, View, Watch
from kubus.model.kinds.controllerrevisions import KIND as REVISIONS
from kubus.model.kinds.daemonsets import KIND as DAEMON_SETS
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import (
    Key,
    Object,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    revision_of,
    uid_of,
)
from kubus_controllers.reconcilers.adoption import ORPHANS, adopt, orphans, release, selector_of, waking
from kubus_controllers.reconcilers.daemon_nodes import Fit, fit, new_pod, node_of_pod
from kubus_controllers.reconcilers.job_failures import finished_at
from kubus_controllers.reconcilers.names import child_name, suffix
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
from kubus_controllers.reconcilers.rollouts import resolved

PAUSE = timedelta(seconds=1)
"""Between a pod's failure and the next pod: one that a node refuses shall not come back in circles."""


class _OnNode(NamedTuple):
    """A node, what it is to the set, and the set's pods there, the oldest first."""

    name: str
    fit: Fit
    pods: list[Object]


class _Change(NamedTuple):
    """Nodes that get a pod, pods that go, and when to look again."""

    create: list[str]
    delete: list[Object]
    records: list[Record]
    again_after: timedelta | None = None


def reconcile(daemon_set: Object, view: View, now: datetime) -> Plan:
    """The pods that come and go, and the status."""
    if adoptions := adopt_revisions(DAEMON_SETS, daemon_set, view):
        return Plan(tuple(adoptions))  # the revisions' changes wake this set again
    revisions = history(daemon_set, view)
    current = revised(DAEMON_SETS, daemon_set, revisions, view)
    if any(isinstance(action, SetStatus) for action in current.actions):
        return Plan(current.actions)
    pods, owning = _pods(daemon_set, view)
    nodes = _nodes(daemon_set, pods, view)
    minimum = path_of(daemon_set, "spec", "minReadySeconds", default=0)
    waits = {uid_of(pod): available_in(pod, minimum, now) for pod in pods}
    available = {uid for uid, wait in waits.items() if wait is not None and not wait}
    actions: list[Action] = []
    again: timedelta | None = None
    if not is_deleting(daemon_set):
        change = _manage(daemon_set, nodes, now)
        again = change.again_after
        if not change.create and not change.delete:
            change = _update(daemon_set, nodes, current.hash, available)
        actions += [*current.actions, *owning, *_carried_out(daemon_set, change, pods, current.hash)]
        if not change.create and not change.delete:
            live = {name_of(each) for each in revisions if labels_of(each).get(HASH) in _hashes(pods)}
            actions += outdated(daemon_set, revisions, {*live, current.name})
    status = _status(daemon_set, nodes, current.hash, available)
    if status != daemon_set.get("status"):
        actions.append(SetStatus(DAEMON_SETS, {**daemon_set, "status": status}))
    return Plan(tuple(actions), again_after=soonest((again, *waits.values())))


def _hashes(pods: Iterable[Object]) -> set[str]:
    return {labels_of(pod).get(HASH, "") for pod in pods}


def _pods(daemon_set: Object, view: View) -> tuple[list[Object], list[Action]]:
    """The set's pods, and what is to be done so that they all are."""
    selector = selector_of(daemon_set)
    owned = [pod for pod in view.owned(PODS, uid_of(daemon_set)) if is_controlled_by(pod, uid_of(daemon_set))]
    mine = [pod for pod in owned if selector.matches(labels_of(pod))]
    strays = [pod for pod in owned if not selector.matches(labels_of(pod))]
    actions: list[Action] = [release(daemon_set, pod) for pod in strays]
    for pod in orphans(daemon_set, view, selector):
        if not is_finished(pod) and not is_deleting(pod):
            actions.append(adopt(DAEMON_SETS, daemon_set, pod))
            mine.append(pod)
    return sorted(mine, key=lambda pod: (metadata(pod).get("creationTimestamp") or "", name_of(pod))), actions


def _nodes(daemon_set: Object, pods: Iterable[Object], view: View) -> list[_OnNode]:
    by_node: dict[str, list[Object]] = {}
    for pod in pods:
        by_node.setdefault(node_of_pod(pod), []).append(pod)
    there = {name_of(node): fit(daemon_set, node) for node in view.list(NODES)}
    gone = [name for name in by_node if name not in there]
    found = [_OnNode(name, each, by_node.get(name, [])) for name, each in sorted(there.items())]
    return found + [_OnNode(name, Fit(False, False), by_node[name]) for name in gone]


def _manage(daemon_set: Object, nodes: Iterable[_OnNode], now: datetime) -> _Change:
    """A pod where there is none; none where there should be none or there are too many."""
    change = _Change([], [], [])
    waits: list[timedelta] = []
    surges = _surge(daemon_set, 1) > 0
    for node in nodes:
        staying = [pod for pod in node.pods if not is_deleting(pod)]
        if not node.fit.kept:
            change.delete.extend(staying)
            continue
        ended = [pod for pod in staying if is_finished(pod)]
        for pod in ended:
            left = _pause_left(pod, now)
            if left > timedelta(0):
                waits.append(left)
                continue
            reason = "FailedDaemonPod" if phase_of(pod) == "Failed" else "SucceededDaemonPod"
            message = f"Found {phase_of(pod).lower()} daemon pod {namespace_of(pod)}/{name_of(pod)} on node {node.name}"
            change.delete.append(pod)
            change.records.append(Record(daemon_set, reason, f"{message}, will try to kill it", "Warning"))
        running = [pod for pod in staying if not is_finished(pod)]
        if node.fit.wanted and not node.pods:
            change.create.append(node.name)
        elif len(running) > (2 if surges else 1):
            change.delete.extend(running[1:])
    return change._replace(again_after=min(waits, default=None))


def _pause_left(pod: Object, now: datetime) -> timedelta:
    """A failed pod is not replaced at once."""
    ended = finished_at(pod)
    if phase_of(pod) != "Failed" or ended is None:
        return timedelta(0)
    return ended + PAUSE - now


def _surge(daemon_set: Object, wanted: int) -> int:
    rolling = path_of(daemon_set, "spec", "updateStrategy", "rollingUpdate", default={})
    return resolved(rolling.get("maxSurge", 0), wanted, up=True)


def _update(daemon_set: Object, nodes: Sequence[_OnNode], hash_: str, available: set[str]) -> _Change:
    """The next step of a rolling update."""
    if path_of(daemon_set, "spec", "updateStrategy", "type") != "RollingUpdate":
        return _Change([], [], [])
    meant = [node for node in nodes if node.fit.wanted or (node.fit.kept and node.pods)]
    wanted = sum(node.fit.wanted for node in nodes)
    rolling = path_of(daemon_set, "spec", "updateStrategy", "rollingUpdate", default={})
    if (surge := _surge(daemon_set, wanted)) > 0:
        return _surging(meant, hash_, available, surge)
    most = max(resolved(rolling.get("maxUnavailable", 1), wanted, up=True), 1)
    missing, free, next_ones = 0, list[Object](), list[Object]()
    for node in meant:
        pods = [pod for pod in node.pods if not is_deleting(pod)]
        if len(pods) != 1 or len(node.pods) != 1:
            missing += 1
        elif uid_of(pods[0]) not in available:
            missing += 1
            if labels_of(pods[0]).get(HASH) != hash_:
                free.append(pods[0])
        elif labels_of(pods[0]).get(HASH) != hash_:
            next_ones.append(pods[0])
    return _Change([], [*free, *next_ones[: max(0, most - missing)]], [])


def _surging(nodes: Iterable[_OnNode], hash_: str, available: set[str], surge: int) -> _Change:
    """New pods beside old ones; an old one goes when the new one is available, or when it was not itself."""
    doubled, at_once, next_ones, going = 0, list[str](), list[str](), list[Object]()
    for node in nodes:
        pods = [pod for pod in node.pods if not is_deleting(pod)]
        new = [pod for pod in pods if labels_of(pod).get(HASH) == hash_]
        old = [pod for pod in pods if pod not in new]
        if new and old:
            doubled += 1
            if uid_of(new[0]) in available or not any(uid_of(pod) in available for pod in old):
                going += old
        elif old:
            (next_ones if uid_of(old[0]) in available else at_once).append(node.name)
    return _Change([*at_once, *next_ones[: max(0, surge - doubled - len(at_once))]], going, [])


def _carried_out(daemon_set: Object, change: _Change, pods: Sequence[Object], hash_: str) -> list[Action]:
    actions: list[Action] = []
    taken = {name_of(pod) for pod in pods}
    salt = max([revision_of(daemon_set), *map(revision_of, pods)])
    for node in change.create:
        number = 0
        while (name := child_name(name_of(daemon_set), suffix(uid_of(daemon_set), salt, node, number))) in taken:
            number += 1
        taken.add(name)
        actions.append(Create(PODS, new_pod(daemon_set, name, node, hash_)))
        actions.append(Record(daemon_set, "SuccessfulCreate", f"Created pod: {name}"))
    for pod in change.delete:
        actions.append(Delete(PODS, namespace_of(pod), name_of(pod), uid_of(pod)))
        actions.append(Record(daemon_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}"))
    return [*actions, *change.records]


def _status(daemon_set: Object, nodes: Iterable[_OnNode], hash_: str, available: set[str]) -> Object:
    counts = dict.fromkeys(("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"), 0)
    more = dict.fromkeys(("updatedNumberScheduled", "numberAvailable", "numberUnavailable"), 0)
    for node in nodes:
        running = [pod for pod in node.pods if not is_finished(pod)]
        if not node.fit.wanted:
            counts["numberMisscheduled"] += bool(running)
            continue
        counts["desiredNumberScheduled"] += 1
        if not running:
            more["numberUnavailable"] += 1
            continue
        counts["currentNumberScheduled"] += 1
        newest = max(running, key=lambda pod: (not is_deleting(pod), labels_of(pod).get(HASH) == hash_))
        counts["numberReady"] += any(map(is_ready, running))
        serving = any(uid_of(pod) in available for pod in running)
        more["numberAvailable" if serving else "numberUnavailable"] += 1
        more["updatedNumberScheduled"] += labels_of(newest).get(HASH) == hash_
    old = daemon_set.get("status") or {}
    kept = {name: old[name] for name in ("collisionCount", "conditions") if old.get(name)}
    numbers = {name: count for name, count in more.items() if count}
    return {**counts, **numbers, **kept, "observedGeneration": metadata(daemon_set).get("generation", 0)}


def _of_node(node: Object, view: View) -> list[Key]:
    return [Key(DAEMON_SETS.collection, namespace_of(each), name_of(each)) for each in view.list(DAEMON_SETS)]


CONTROLLER = Controller(
    name="daemonset-controller",
    reconciles=DAEMON_SETS,
    reconcile=reconcile,
    owns=(PODS, REVISIONS),
    watches=(Watch(NODES, _of_node), waking(DAEMON_SETS), waking(DAEMON_SETS, kind=REVISIONS)),
    indexes=(ORPHANS, ORPHANED_REVISIONS),
)
