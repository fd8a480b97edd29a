"""Deployment: ReplicaSets over time.

Each template has one ReplicaSet, found by comparing templates, so that a rollback is nothing but a template that
is there already. The sets' sizes come from `rollouts`; here they become a plan, with the revision annotations that
`kubectl rollout history` and `undo` read, the conditions that `rollout status` waits for, and the clean-up of
old sets.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from kubus.machinery.plans import Action, Controller, Create, Delete, Patch, Plan, Record, SetStatus, View, Watch
from kubus.model.codec import to_json
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICASETS
from kubus.model.objects import (
    Key,
    Object,
    annotations_of,
    controller_of,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    uid_of,
)
from kubus.model.times import parse_time
from kubus_controllers.reconcilers import rollouts
from kubus_controllers.reconcilers.adoption import adopt, orphans, orphans_index, release, selector_of, waking
from kubus_controllers.reconcilers.conditions import Said, with_condition
from kubus_controllers.reconcilers.names import child_name, suffix
from kubus_controllers.reconcilers.pods_of import condition_of, controller_reference, is_controlled_by, is_finished
from kubus_controllers.reconcilers.replicasets import FAILURE

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        rollouts.DESIRED,
        rollouts.MAX,
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations of a Deployment that its ReplicaSets do not take over."""


def reconcile(deployment: Object, view: View, now: datetime) -> Plan:
    """The next step of the rollout, and the status."""
    sets = [each for each in view.owned(REPLICASETS, uid_of(deployment)) if is_controlled_by(each, uid_of(deployment))]
    if claims := _claim(deployment, sets, view):
        return Plan(tuple(claims))  # the sets' changes wake this Deployment again
    new = _newest(deployment, sets)
    old = [each for each in sets if each is not new]
    if is_deleting(deployment):
        return Plan(tuple(_set_status(deployment, new, old, now, ())))
    actions, event = _next_step(deployment, new, old, view)
    if any(isinstance(action, SetStatus) for action in actions):
        return Plan(tuple(actions))
    marks = [action for action in actions if isinstance(action, Patch) and action.kind is DEPLOYMENTS]
    steps = [action for action in actions if action not in marks]
    status = _set_status(deployment, new, old, now, event)
    # The marks come last: the status is written on condition that the Deployment is as it was seen.
    return Plan((*steps, *status, *marks), again_after=_until_deadline(deployment, now))


def _claim(deployment: Object, sets: Sequence[Object], view: View) -> list[Action]:
    """Adopt the ReplicaSets that match and have no controller; release those that match no longer."""
    if is_deleting(deployment):
        return []
    selector = selector_of(deployment)
    strays = [each for each in sets if not selector.matches(labels_of(each))]
    found = [each for each in orphans(deployment, view, selector, REPLICASETS) if not is_deleting(each)]
    return [
        *(release(deployment, each, REPLICASETS) for each in strays),
        *(adopt(DEPLOYMENTS, deployment, each, REPLICASETS) for each in found),
    ]


def _next_step(
    deployment: Object, new: Object | None, old: list[Object], view: View
) -> tuple[list[Action], tuple[str, ...]]:
    """Actions on ReplicaSets, and (reason, message) of the progress they are, if any."""
    every = [*old, new] if new else old
    if path_of(deployment, "spec", "paused", default=False) or rollouts.is_scaling(deployment, every):
        scaled = [_resize(deployment, each, size) for each, size in rollouts.proportional_sizes(deployment, every)]
        noted = [_annotate(deployment, each) for each in every if not _is_noted(deployment, each)] if not scaled else []
        return [action for pair in scaled for action in pair] + noted, ()
    if (
        path_of(deployment, "spec", "strategy", "type") == "Recreate"
        and (draining := _drained(deployment, old, view)) is not None
    ):
        return draining, ()
    if new is None:
        return _create_set(deployment, old, view)
    actions: list[Action] = []
    size = rollouts.new_size(deployment, new, every)
    if replicas := rollouts.replicas_of(new) != size:
        actions += _resize(deployment, new, size)
    elif not _is_noted(deployment, new):
        actions.append(_annotate(deployment, new))
    if not replicas:
        for each, smaller in rollouts.old_sizes(deployment, new, old):
            actions += _resize(deployment, each, smaller)
    if rollouts.is_complete(deployment, deployment.get("status") or {}):
        actions += _clean_up(deployment, old)
    marks = _revision_marks(deployment, new, old)
    event = ("FoundNewReplicaSet", f'Found new replica set "{name_of(new)}"') if marks else ()
    return actions + marks, event


def _template(obj: Object) -> Object:
    """The pod template without the hash label, for comparison."""
    template = path_of(obj, "spec", "template", default={})
    meta = dict(metadata(template))
    labels = {label: value for label, value in labels_of(template).items() if label != HASH}
    meta.pop("creationTimestamp", None)
    meta.pop("labels", None)
    return {"metadata": {**meta, "labels": labels}, "spec": template.get("spec") or {}}


def _newest(deployment: Object, sets: Sequence[Object]) -> Object | None:
    """The ReplicaSet of the present template; the oldest, should there be several."""
    wanted = _template(deployment)
    found = [each for each in sets if _template(each) == wanted]
    return min(found, key=lambda each: (metadata(each).get("creationTimestamp") or "", name_of(each)), default=None)


def _create_set(deployment: Object, old: Sequence[Object], view: View) -> tuple[list[Action], tuple[str, ...]]:
    """A new ReplicaSet; or, where another template has taken the name by chance, a count of collisions."""
    collisions = path_of(deployment, "status", "collisionCount", default=0)
    digest = suffix(to_json(_template(deployment)).decode(), collisions or "", length=10)
    name = child_name(name_of(deployment), digest)
    if view.get(REPLICASETS, namespace_of(deployment), name) is not None:
        status = {**(deployment.get("status") or {}), "collisionCount": collisions + 1}
        return [SetStatus(DEPLOYMENTS, {**deployment, "status": status})], ()
    template = path_of(deployment, "spec", "template", default={})
    labels = {**labels_of(template), HASH: digest}
    selector = path_of(deployment, "spec", "selector", default={})
    revision = _last_revision(old) + 1
    shell: Object = {"metadata": {}, "spec": {"replicas": 0}}
    size = rollouts.new_size(deployment, shell, [*old, shell])
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": namespace_of(deployment),
            "labels": labels,
            "annotations": {**_copied(deployment), **_sizes(deployment), REVISION: str(revision)},
            "ownerReferences": [controller_reference(deployment)],
        },
        "spec": {
            "replicas": size,
            "minReadySeconds": path_of(deployment, "spec", "minReadySeconds", default=0),
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: digest}},
            "template": {**template, "metadata": {**metadata(template), "labels": labels}},
        },
    }
    actions: list[Action] = [Create(REPLICASETS, replica_set)]
    if size:
        actions.append(Record(deployment, "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}"))
    if annotations_of(deployment).get(REVISION) != str(revision):
        actions.append(_annotate_deployment(deployment, {REVISION: str(revision)}))
    return actions, ("NewReplicaSetCreated", f'Created new replica set "{name}"')


def _resize(deployment: Object, replica_set: Object, size: int) -> list[Action]:
    before = rollouts.replicas_of(replica_set)
    meta = {"resourceVersion": metadata(replica_set).get("resourceVersion"), "annotations": _sizes(deployment)}
    patch = {"metadata": meta, "spec": {"replicas": size}}
    direction = "up" if size > before else "down"
    message = f"Scaled {direction} replica set {name_of(replica_set)} from {before} to {size}"
    return [
        Patch(REPLICASETS, namespace_of(replica_set), name_of(replica_set), patch),
        Record(deployment, "ScalingReplicaSet", message),
    ]


def _sizes(deployment: Object) -> dict[str, str]:
    wanted = rollouts.replicas_of(deployment)
    surge, _ = rollouts.surge_and_unavailable(deployment)
    return {rollouts.DESIRED: str(wanted), rollouts.MAX: str(wanted + surge)}


def _is_noted(deployment: Object, replica_set: Object) -> bool:
    return _sizes(deployment).items() <= annotations_of(replica_set).items()


def _annotate(deployment: Object, replica_set: Object) -> Patch:
    patch = {"metadata": {"annotations": _sizes(deployment)}}
    return Patch(REPLICASETS, namespace_of(replica_set), name_of(replica_set), patch)


def _annotate_deployment(deployment: Object, annotations: dict[str, str]) -> Patch:
    return Patch(DEPLOYMENTS, namespace_of(deployment), name_of(deployment), {"metadata": {"annotations": annotations}})


def _copied(deployment: Object) -> dict[str, str]:
    return {name: value for name, value in annotations_of(deployment).items() if name not in NOT_COPIED}


def _last_revision(sets: Sequence[Object]) -> int:
    return max((_revision(each) for each in sets), default=0)


def _revision(obj: Object) -> int:
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if text.isdecimal() else 0


def _revision_marks(deployment: Object, new: Object, old: Sequence[Object]) -> list[Action]:
    """The new set's revision is one more than any other's; what it was before goes to its history."""
    marks: list[Action] = []
    revision = max(_last_revision(old) + 1, _revision(new))
    annotations: dict[str, str] = {}
    if revision != _revision(new):
        annotations[REVISION] = str(revision)
        if before := annotations_of(new).get(REVISION):
            history = [part for part in annotations_of(new).get(REVISION_HISTORY, "").split(",") if part]
            annotations[REVISION_HISTORY] = ",".join([*history, before])
    annotations.update({k: v for k, v in _copied(deployment).items() if annotations_of(new).get(k) != v})
    spec = {}
    if (seconds := path_of(deployment, "spec", "minReadySeconds", default=0)) != path_of(
        new, "spec", "minReadySeconds", default=0
    ):
        spec["minReadySeconds"] = seconds
    if annotations or spec:
        patch = {"metadata": {"annotations": annotations}, **({"spec": spec} if spec else {})}
        marks.append(Patch(REPLICASETS, namespace_of(new), name_of(new), patch))
    if annotations_of(deployment).get(REVISION) != str(revision):
        marks.append(_annotate_deployment(deployment, {REVISION: str(revision)}))
    return marks


def _drained(deployment: Object, old: Sequence[Object], view: View) -> list[Action] | None:
    """Recreate: what is to be done before new pods may start; None once the old ones are gone."""
    if shrinking := [each for each in old if rollouts.replicas_of(each) > 0]:
        return [action for each in shrinking for action in _resize(deployment, each, 0)]
    running = any(not is_finished(pod) for each in old for pod in view.owned(PODS, uid_of(each)))
    return [] if running else None


def _clean_up(deployment: Object, old: Sequence[Object]) -> list[Action]:
    """Old sets beyond revisionHistoryLimit, the oldest first; only those without pods."""
    limit = path_of(deployment, "spec", "revisionHistoryLimit", default=10)
    idle = [
        each
        for each in old
        if not rollouts.replicas_of(each)
        and not path_of(each, "status", "replicas", default=0)
        and not is_deleting(each)
    ]
    surplus = sorted(idle, key=_revision)[: max(len(idle) - limit, 0)]
    return [Delete(REPLICASETS, namespace_of(each), name_of(each), uid_of(each)) for each in surplus]


def _set_status(
    deployment: Object, new: Object | None, old: Sequence[Object], now: datetime, event: tuple[str, ...]
) -> list[Action]:
    old_status = deployment.get("status") or {}
    every = [*old, new] if new else list(old)
    counts = {
        field: sum(path_of(each, "status", field, default=0) for each in every)
        for field in ("replicas", "readyReplicas", "availableReplicas", "terminatingReplicas")
    }
    counts["updatedReplicas"] = path_of(new, "status", "replicas", default=0) if new else 0
    wanted = rollouts.replicas_of(deployment)
    counts["unavailableReplicas"] = max(wanted - counts["availableReplicas"], 0)
    counts["observedGeneration"] = metadata(deployment).get("generation", 0)
    if old_status.get("collisionCount"):
        counts["collisionCount"] = old_status["collisionCount"]
    status: dict[str, Any] = {field: value for field, value in counts.items() if value}
    conditions = _conditions(deployment, status, now, event)
    conditions = _with_failure(conditions, every, now)
    if conditions:
        status["conditions"] = conditions
    if status == old_status:
        return []
    return [SetStatus(DEPLOYMENTS, {**deployment, "status": status})]


def _conditions(deployment: Object, status: Object, now: datetime, event: tuple[str, ...]) -> list[dict[str, Any]]:
    conditions = list(path_of(deployment, "status", "conditions", default=()))
    _, unavailable = rollouts.surge_and_unavailable(deployment)
    if status.get("availableReplicas", 0) >= rollouts.replicas_of(deployment) - unavailable:
        said = Said("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        said = Said("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    conditions = with_condition(conditions, type_="Available", said=said, now=now, updated=True)
    if (progress := _progress(deployment, status, now, event)) is not None:
        conditions = with_condition(conditions, type_="Progressing", said=progress, now=now, updated=True)
    return conditions


def _with_failure(conditions: list[dict[str, Any]], sets: Sequence[Object], now: datetime) -> list[dict[str, Any]]:
    """The conditions with what keeps one of the sets from having its pods, if anything does."""
    found = next((each for each in (condition_of(one, FAILURE) for one in reversed(sets)) if each), None)
    if found is None:
        return [each for each in conditions if each.get("type") != FAILURE]
    said = Said("True", found.get("reason", ""), found.get("message", ""))
    return with_condition(conditions, type_=FAILURE, said=said, now=now, updated=True)


def _progress(deployment: Object, status: Object, now: datetime, event: tuple[str, ...]) -> Said | None:
    """What the Progressing condition says; None to leave it as it is."""
    before = condition_of(deployment, "Progressing")
    if path_of(deployment, "spec", "paused", default=False):
        return Said("Unknown", "DeploymentPaused", "Deployment is paused")
    if before is not None and before.get("reason") == "DeploymentPaused":
        return Said("Unknown", "DeploymentResumed", "Deployment is resumed")
    if event:
        return Said("True", event[0], event[1])
    name = name_of(deployment)
    if rollouts.is_complete(deployment, status):
        if before is not None and before.get("reason") == "NewReplicaSetAvailable":
            return None
        return Said("True", "NewReplicaSetAvailable", f'Deployment "{name}" has successfully progressed.')
    if _has_moved(deployment.get("status") or {}, status):
        return Said("True", "ReplicaSetUpdated", f'Deployment "{name}" is progressing.')
    if _is_overdue(deployment, before, now):
        return Said("False", "ProgressDeadlineExceeded", f'Deployment "{name}" has timed out progressing.')
    return None


def _has_moved(before: Object, after: Object) -> bool:
    def old_ones(status: Object) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    grown = any(after.get(f, 0) > before.get(f, 0) for f in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grown or old_ones(after) < old_ones(before)


def _is_overdue(deployment: Object, progressing: Object | None, now: datetime) -> bool:
    if progressing is None or progressing.get("reason") in ("NewReplicaSetAvailable", "DeploymentPaused"):
        return False
    seconds = path_of(deployment, "spec", "progressDeadlineSeconds", default=600)
    since: str = progressing.get("lastUpdateTime") or progressing.get("lastTransitionTime") or ""
    return bool(since) and parse_time(since) + timedelta(seconds=seconds) <= now


def _until_deadline(deployment: Object, now: datetime) -> timedelta | None:
    """When to look again at a rollout that may have stopped."""
    progressing = condition_of(deployment, "Progressing")
    done = ("NewReplicaSetAvailable", "DeploymentPaused", "ProgressDeadlineExceeded")
    if progressing is None or progressing.get("reason") in done:
        return None
    seconds = path_of(deployment, "spec", "progressDeadlineSeconds", default=600)
    since = progressing.get("lastUpdateTime")
    if not since:
        return None
    return max(parse_time(since) + timedelta(seconds=seconds + 1) - now, timedelta(seconds=1))


def _deployment_of_pod(pod: Object, view: View) -> list[Key]:
    """With Recreate the end of an old pod is what the Deployment waits for."""
    owner = controller_of(pod)
    if owner is None or owner.get("kind") != "ReplicaSet" or not is_finished_or_gone(pod):
        return []
    replica_set = view.get(REPLICASETS, namespace_of(pod), owner["name"])
    deployment = controller_of(replica_set) if replica_set else None
    if deployment is None or deployment.get("kind") != "Deployment":
        return []
    return [Key(DEPLOYMENTS.collection, namespace_of(pod), deployment["name"])]


def is_finished_or_gone(pod: Object) -> bool:
    """Whether the pod has ended or is about to."""
    return is_finished(pod) or is_deleting(pod)


CONTROLLER = Controller(
    name="deployment-controller",
    reconciles=DEPLOYMENTS,
    reconcile=reconcile,
    owns=(REPLICASETS,),
    watches=(Watch(PODS, _deployment_of_pod), waking(DEPLOYMENTS, kind=REPLICASETS)),
    indexes=(orphans_index(REPLICASETS),),
)
