"""A pod's status in a few words, as `kubectl get pods` shows it.

The columns Ready, Status and Restarts come out of one walk over the container statuses: init containers first,
as long as one of them is not done; then the others from the last to the first, so that the first one that is in
trouble is the one that is named. Rules follow `printPod` of Kubernetes' printers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from kubus.model.cells import since
from kubus.model.objects import Object, is_deleting

INITIALIZING = "PodInitializing"
UNREACHABLE = "NodeLost"


class PodSummary(NamedTuple):
    """What the columns of a pod say."""

    ready: int
    total: int
    reason: str
    restarts: int
    restarted_at: str
    """When a container ended last, RFC 3339; "" if none did."""

    def restarts_text(self, now: datetime) -> str:
        """`3 (5m ago)`, or `0`."""
        if self.restarts and self.restarted_at:
            return f"{self.restarts} ({since(self.restarted_at, now)} ago)"
        return str(self.restarts)


class _Restarts(NamedTuple):
    total: int = 0
    latest: str = ""

    def plus(self, status: Object) -> _Restarts:
        ended = _dict(_dict(status.get("lastState")).get("terminated")).get("finishedAt") or ""
        return _Restarts(self.total + int(status.get("restartCount") or 0), max(self.latest, ended))


class _Init(NamedTuple):
    """What the init containers say."""

    reason: str
    """"" once all are done."""
    ready: int
    all: _Restarts
    sidecars: _Restarts


def summary(pod: Object) -> PodSummary:
    """The summary of a pod."""
    spec, status = _dict(pod.get("spec")), _dict(pod.get("status"))
    sidecars = {each.get("name") for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"}
    total = len(spec.get("containers") or ()) + len(sidecars)
    reason = status.get("reason") or status.get("phase") or ""
    if any(c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in _conditions(status)):
        reason = "SchedulingGated"
    init = _init_containers(status, sidecars, len(spec.get("initContainers") or ()))
    reason, ready, restarts = init.reason or reason, init.ready, init.all
    if not init.reason or _is_true(status, "Initialized"):
        reason, more_ready, restarts = _containers(status, reason, init.sidecars)
        ready += more_ready
    if is_deleting(pod):
        if status.get("reason") == UNREACHABLE:
            reason = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            reason = "Terminating"
    return PodSummary(ready, total, reason, restarts.total, restarts.latest)


def _init_containers(status: Object, sidecars: set[Any], total: int) -> _Init:
    ready, everything, of_sidecars = 0, _Restarts(), _Restarts()
    for index, each in enumerate(status.get("initContainerStatuses") or ()):
        everything = everything.plus(each)
        state = _dict(each.get("state"))
        ended, waiting = state.get("terminated"), _dict(state.get("waiting")).get("reason")
        is_sidecar = each.get("name") in sidecars
        if is_sidecar:
            of_sidecars = of_sidecars.plus(each)
        if ended is not None and not ended.get("exitCode"):
            continue
        if is_sidecar and each.get("started"):
            ready += bool(each.get("ready"))
            continue
        if ended is not None:
            reason = f"Init:{ended.get('reason') or _exit_text(ended)}"
        elif waiting and waiting != INITIALIZING:
            reason = f"Init:{waiting}"
        else:
            reason = f"Init:{index}/{total}"
        return _Init(reason, ready, everything, of_sidecars)
    return _Init("", ready, everything, of_sidecars)


def _containers(status: Object, reason: str, restarts: _Restarts) -> tuple[str, int, _Restarts]:
    ready = 0
    for each in reversed(status.get("containerStatuses") or ()):
        restarts = restarts.plus(each)
        state = _dict(each.get("state"))
        waiting, ended = _dict(state.get("waiting")).get("reason"), state.get("terminated")
        if waiting:
            reason = waiting
        elif ended is not None:
            reason = ended.get("reason") or _exit_text(ended)
        elif each.get("ready") and state.get("running") is not None:
            ready += 1
    if reason == "Completed" and ready:
        reason = "Running" if _is_true(status, "Ready") else "NotReady"
    return reason, ready, restarts


def _exit_text(ended: Object) -> str:
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _conditions(status: Object) -> list[Object]:
    return status.get("conditions") or []


def _is_true(status: Object, condition: str) -> bool:
    return any(each.get("type") == condition and each.get("status") == "True" for each in _conditions(status))


def _dict(value: Any) -> Object:
    return value if isinstance(value, dict) else {}
