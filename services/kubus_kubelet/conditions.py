"""A pod's conditions, from its status: pure.

The kubelet owns five types; what others set (the scheduler's refusal, DisruptionTarget, readiness gates) is kept.
"""

from __future__ import annotations

from datetime import datetime

from kubus.model.objects import Object
from kubus.model.times import rfc3339
from kubus_kubelet.restarts import is_sidecar

SYNC_FAILED = "kubus.io/SyncFailed"
"""True while the kubelet fails at the pod itself: what runs goes on, and nothing is done about it."""
OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", SYNC_FAILED)


def pod_conditions(pod: Object, status: Object, *, prepared: bool, now: datetime, sync_error: str = "") -> list[Object]:
    """All conditions: the kubelet's own as they are now, the others as they were."""
    old = {each["type"]: each for each in (pod.get("status") or {}).get("conditions") or ()}
    containers = _containers_ready(pod, status)
    fresh = [
        _condition("PodReadyToStartContainers", prepared),
        _initialized(pod, status),
        _ready(pod, containers, old),
        {**containers, "type": "ContainersReady"},
        _condition("PodScheduled", True),
    ]
    if sync_error or SYNC_FAILED in old:
        fresh.append(_sync_failed(sync_error))
    return [_dated(each, old.get(each["type"]), now) for each in fresh] + [
        each for kind, each in old.items() if kind not in OWNED
    ]


def with_sync_error(status: Object, error: str, now: datetime) -> Object:
    """A status whose pod's worker has failed: as it was known last, and saying so."""
    known = status.get("conditions") or []
    old = next((each for each in known if each["type"] == SYNC_FAILED), None)
    others = [each for each in known if each["type"] != SYNC_FAILED]
    whole = {"phase": "Pending", "containerStatuses": [], **status}
    return {**whole, "conditions": [*others, _dated(_sync_failed(error), old, now)]}


def _sync_failed(error: str) -> Object:
    return _condition(SYNC_FAILED, True, "FailedSync", error) if error else _condition(SYNC_FAILED, False)


def with_memory(pod: Object, decided: Object | None) -> Object:
    """The pod as if the API had the status that was decided last: its times stand, though its write be under way."""
    if decided is None:
        return pod
    status = pod.get("status") or {}
    ours = [each for each in decided["conditions"] if each["type"] in OWNED]
    theirs = [each for each in status.get("conditions") or () if each["type"] not in OWNED]
    return {**pod, "status": {**status, **decided, "conditions": ours + theirs}}


def _dated(condition: Object, old: Object | None, now: datetime) -> Object:
    if old is not None and old.get("status") == condition["status"] and old.get("lastTransitionTime"):
        since = old["lastTransitionTime"]
    else:
        since = rfc3339(now)
    return {**condition, "lastTransitionTime": since}


def _condition(kind: str, value: bool, reason: str = "", message: str = "") -> Object:
    condition: Object = {"type": kind, "status": "True" if value else "False"}
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _initialized(pod: Object, status: Object) -> Object:
    specs = {each["name"]: each for each in pod["spec"].get("initContainers") or ()}
    begun = any(_has_run(each) for each in status["containerStatuses"])
    if begun or status["phase"] == "Succeeded":
        reason = "PodCompleted" if status["phase"] == "Succeeded" else ""
        return _condition("Initialized", True, reason)
    incomplete = [
        each["name"]
        for each in status.get("initContainerStatuses") or ()
        if not (each["started"] if is_sidecar(specs[each["name"]]) else each["ready"])
    ]
    if not incomplete:
        return _condition("Initialized", True)
    message = f"containers with incomplete status: [{' '.join(incomplete)}]"
    return _condition("Initialized", False, "ContainersNotInitialized", message)


def _has_run(status: Object) -> bool:
    return "waiting" not in status["state"] or bool(status["lastState"])


def _containers_ready(pod: Object, status: Object) -> Object:
    if status["phase"] == "Succeeded":
        return _condition("Ready", False, "PodCompleted")
    if status["phase"] == "Failed":
        return _condition("Ready", False, "PodFailed")
    specs = {each["name"]: each for each in pod["spec"].get("initContainers") or ()}
    counted = [each for each in status.get("initContainerStatuses") or () if is_sidecar(specs[each["name"]])]
    unready = [each["name"] for each in [*counted, *status["containerStatuses"]] if not each["ready"]]
    if unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        return _condition("Ready", False, "ContainersNotReady", message)
    return _condition("Ready", True)


def _ready(pod: Object, containers: Object, old: dict[str, Object]) -> Object:
    if containers["status"] != "True":
        return containers
    for gate in pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        found = old.get(kind)
        if found is None:
            message = f'corresponding condition of pod readiness gate "{kind}" does not exist.'
            return _condition("Ready", False, "ReadinessGatesNotReady", message)
        if found.get("status") != "True":
            message = f'the status of pod readiness gate "{kind}" is not "True", but {found.get("status")}'
            return _condition("Ready", False, "ReadinessGatesNotReady", message)
    return containers
