"""From Podman's words to ours: what an inspection, and the kubelet's own note of an end, say of a container. Pure.

Podman knows neither why a container could not be started nor, on cgroup v1, that memory ran out; so the kubelet
writes an `EndNote` beside the pod's logs, and reads it back when it starts anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from kubus.model.times import parse_time
from kubus_kubelet import container_specs as labels
from kubus_kubelet.states import ContainerSeen, Step

NEVER = "0001-01-01"
START_ERROR_CODE = 128
KILLED_CODE = 137


class EndNote(NamedTuple):
    """What the kubelet knows of a container's end beyond its exit code."""

    reason: str = ""
    message: str = ""
    finished_at: str = ""
    """RFC 3339; for containers that never ran."""


def container_seen(inspection: dict[str, Any], note: EndNote) -> ContainerSeen | None:
    """The container that an inspection describes; None if it is none of ours."""
    config = inspection.get("Config") or {}
    marks = config.get("Labels") or {}
    if labels.UID not in marks or labels.CONTAINER not in marks:
        return None
    state = inspection.get("State") or {}
    step = _step(str(state.get("Status") or ""), note)
    code = int(state.get("ExitCode") or 0)
    reason = note.reason
    if not reason and state.get("OOMKilled") and step == "exited":
        reason = "OOMKilled"
    if reason == "StartError":
        code = START_ERROR_CODE
    return ContainerSeen(
        id=str(inspection["Id"]),
        name=marks[labels.CONTAINER],
        attempt=int(marks.get(labels.ATTEMPT) or 0),
        streak=int(marks.get(labels.STREAK) or 0),
        step=step,
        pid=int(state.get("Pid") or 0) if step == "running" else 0,
        image=str(marks.get(labels.IMAGE) or inspection.get("ImageName") or ""),
        image_id=f"sha256:{str(inspection.get('Image') or '').removeprefix('sha256:')}",
        image_hash=marks.get(labels.IMAGE_HASH, ""),
        started_at=_moment(state.get("StartedAt")),
        finished_at=_moment(state.get("FinishedAt")) or _moment(note.finished_at),
        exit_code=code if step == "exited" else 0,
        reason=reason if step == "exited" else "",
        message=note.message if step == "exited" else "",
    )


def _step(status: str, note: EndNote) -> Step:
    if status in ("running", "paused", "stopping"):
        return "running"
    if status in ("created", "configured", "initialized", "") and not note.reason:
        return "created"
    return "exited"


def _moment(text: str | None) -> datetime | None:
    if not text or text.startswith(NEVER):
        return None
    head, dot, fraction = text.partition(".")
    if dot:  # Go writes nine digits, Python reads six
        digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
        text = f"{head}.{digits[:6]}{fraction[len(digits) :]}"
    return parse_time(text)


def start_error_words(message: str) -> str:
    """Podman's words for a container that does not start, without the layers they came through."""
    for prefix in ("runc: ", "crun: "):
        message = message.removeprefix(prefix)
    head, mark, _ = message.rpartition(": OCI runtime")
    return f"failed to create container task: {head if mark else message}"
