"""The pods of a Job: those that are to be made, and those that are one too many.

A pod bears the Job's template, a finalizer until it is counted, and in an indexed Job its index: in annotation and
label, in its host name, and for each container as JOB_COMPLETION_INDEX.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import (
    Object,
    annotations_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    revision_of,
    uid_of,
)
from kubus_controllers.reconcilers.job_failures import (
    FAILURES,
    failures_of_index,
    is_failed,
    judged,
    pause_left,
)
from kubus_controllers.reconcilers.job_indexes import INDEX, index_of
from kubus_controllers.reconcilers.job_tally import FINALIZER, Tally
from kubus_controllers.reconcilers.names import child_name, suffix
from kubus_controllers.reconcilers.pods_of import controller_reference, is_ready, phase_of

_ENV = "JOB_COMPLETION_INDEX"
_HOST_NAME_MAX = 63


def surplus(active: Sequence[Object], wanted: int, *, indexed: bool, done: frozenset[int], below: int) -> list[Object]:
    """Active pods that have to go: those of indexes that need none, doubles, then those that serve least."""
    ranked = sorted(active, key=_worth, reverse=True)
    if not indexed:
        return ranked[wanted:]
    kept: dict[int, Object] = {}
    for pod in ranked:
        index = index_of(pod)
        if index is not None and index < below and index not in done:
            kept.setdefault(index, pod)
    staying = sorted(kept.items())[:wanted]
    names = {name_of(pod) for _, pod in staying}
    return [pod for pod in ranked if name_of(pod) not in names]


def _worth(pod: Object) -> tuple[Any, ...]:
    phases = {"Pending": 0, "Unknown": 1, "Running": 2}
    placed = bool(path_of(pod, "spec", "nodeName"))
    return placed, phases.get(phase_of(pod), 1), is_ready(pod), _reversed(pod), name_of(pod)


def _reversed(pod: Object) -> tuple[int, ...]:
    return tuple(-ord(char) for char in metadata(pod).get("creationTimestamp") or "")


def new_pods(job: Object, pods: Sequence[Object], count: int) -> list[Object]:
    """So many further pods of a Job without indexes."""
    taken, made, number = {name_of(pod) for pod in pods}, list[Object](), 0
    salt = max([revision_of(job), *map(revision_of, pods)])
    while len(made) < count:
        name = child_name(name_of(job), suffix(uid_of(job), salt, number))
        number += 1
        if name not in taken:
            made.append(_pod(job, name))
    return made


def new_indexed_pods(
    job: Object, pods: Sequence[Object], busy: Iterable[Object], tally: Tally, *, count: int, now: datetime
) -> tuple[list[Object], timedelta | None]:
    """Pods for the first indexes that need one, up to a count; and how long until the next, if some have to wait."""
    completions = path_of(job, "spec", "completions", default=0)
    taken = tally.completed | tally.failed_indexes | {index_of(pod) for pod in busy}
    each_waits = path_of(job, "spec", "backoffLimitPerIndex") is not None
    made, waits = list[Object](), list[timedelta]()
    for index in range(completions):
        if len(made) >= count:
            break
        if index in taken:
            continue
        earlier = [pod for pod in pods if index_of(pod) == index]
        left = pause_left(job, earlier, now) if each_waits else timedelta(0)
        if left > timedelta(0):
            waits.append(left)
        else:
            made.append(_indexed_pod(job, index, earlier))
    return made, min(waits, default=None)


def _indexed_pod(job: Object, index: int, earlier: Sequence[Object]) -> Object:
    salt = max([revision_of(job), *map(revision_of, earlier)])
    pod = _pod(job, child_name(name_of(job), f"{index}-{suffix(uid_of(job), index, salt)}"))
    meta, spec = pod["metadata"], dict(pod["spec"])
    annotations = {**annotations_of(pod), INDEX: str(index)}
    if path_of(job, "spec", "backoffLimitPerIndex") is not None:
        annotations[FAILURES] = str(_failures(job, earlier))
    meta["annotations"] = annotations
    meta["labels"] = {**labels_of(pod), INDEX: str(index)}
    meta["generateName"] = f"{name_of(job)}-{index}-"
    if not spec.get("hostname"):
        spec["hostname"] = f"{name_of(job)}-{index}"[:_HOST_NAME_MAX]
    for field in ("initContainers", "containers"):
        if spec.get(field):
            spec[field] = [_with_index(container) for container in spec[field]]
    return {**pod, "spec": spec}


def _failures(job: Object, earlier: Sequence[Object]) -> int:
    """How often the index has failed: as often as before its last failed pod, and with that one."""
    failed = [pod for pod in earlier if is_failed(job, pod)]
    counts = (failures_of_index(pod) + (judged(job, pod).consequence != "Ignore") for pod in failed)
    return max(counts, default=0)


def _with_index(container: dict[str, Any]) -> dict[str, Any]:
    env = container.get("env") or []
    if any(each.get("name") == _ENV for each in env):
        return container
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    return {**container, "env": [*env, {"name": _ENV, "valueFrom": source}]}


def _pod(job: Object, name: str) -> Object:
    template = path_of(job, "spec", "template", default={})
    meta: dict[str, Any] = {
        "name": name,
        "generateName": f"{name_of(job)}-",
        "namespace": namespace_of(job),
        "labels": labels_of(template),
        "ownerReferences": [controller_reference(job)],
        "finalizers": [*(metadata(template).get("finalizers") or ()), FINALIZER],
    }
    if annotations_of(template):
        meta["annotations"] = annotations_of(template)
    return {"apiVersion": PODS.api_version, "kind": PODS.name, "metadata": meta, "spec": template.get("spec") or {}}
