"""A pod's status, from its object and what is on the node: pure.

Phases, conditions, reasons and words are those of Kubernetes' kubelet (pkg/kubelet/status, kubelet_pods.go), because
kubectl, Helm and people branch on them. A transition time is kept as long as its condition keeps its status.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kubus.model.objects import Object, is_deleting, name_of, namespace_of, uid_of
from kubus.model.times import parse_time, rfc3339
from kubus_kubelet import conditions, restarts
from kubus_kubelet.states import ContainerSeen, PodSeen

LOST_CODE = 137
LOST_WORDS = "The container could not be located when the pod was terminated"
MESSAGES_BYTES_MAX = 12 * 1024
"""Of the termination messages of all of a pod's containers together."""
FIRST_WORDS = timedelta(seconds=2)
"""How long a failure shows its own words before it shows the wait for the next attempt."""


def newest(containers: Iterable[ContainerSeen]) -> dict[str, ContainerSeen]:
    """The latest attempt of each container, by name."""
    latest: dict[str, ContainerSeen] = {}
    for each in containers:
        if each.name not in latest or each.attempt > latest[each.name].attempt:
            latest[each.name] = each
    return latest


def recalled(pod: Object, containers: Iterable[ContainerSeen], now: datetime) -> list[ContainerSeen]:
    """Containers that the API knows to have run and that are not here any more, as after a reboot: they have ended.

    So a restart is counted on, and what must not run twice does not.
    """
    status = pod.get("status") or {}
    here = {each.name for each in containers}
    return [
        _recalled(each, now)
        for each in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
        if each.get("containerID") and each["name"] not in here
    ]


def _recalled(status: Object, now: datetime) -> ContainerSeen:
    known = (status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    if "running" in (status.get("state") or {}) or not known:
        known = {"exitCode": LOST_CODE, "reason": "ContainerStatusUnknown", "message": LOST_WORDS}
    times = {each: parse_time(known[each]) for each in ("startedAt", "finishedAt") if known.get(each)}
    return ContainerSeen(
        id=status["containerID"].removeprefix("podman://"),
        name=status["name"],
        attempt=int(status.get("restartCount") or 0),
        step="exited",
        image=status.get("image", ""),
        image_id=status.get("imageID", ""),
        started_at=times.get("startedAt"),
        finished_at=times.get("finishedAt", now),
        exit_code=int(known["exitCode"]),
        reason=known.get("reason", ""),
        message=known.get("message", ""),
    )


def pod_status(pod: Object, seen: PodSeen, now: datetime) -> Object:
    """The whole status that is true now."""
    old: Object = pod.get("status") or {}
    spec = pod["spec"]
    seen = without_hooks(seen)
    inits = [container_status(pod, each, seen, now, "init") for each in spec.get("initContainers") or ()]
    mains = [container_status(pod, each, seen, now, "main") for each in spec["containers"]]
    status: Object = {
        "phase": _phase(pod, inits, mains, seen),
        "startTime": old.get("startTime") or rfc3339(now),
        "containerStatuses": mains,
    }
    if inits:
        status["initContainerStatuses"] = inits
    extras = [container_status(pod, each, seen, now, "ephemeral") for each in spec.get("ephemeralContainers") or ()]
    if extras:
        status["ephemeralContainerStatuses"] = extras
    _bound_messages([*inits, *mains, *extras])
    _deadline(pod, status, now)
    if seen.rejection is not None:
        words = f"Pod was rejected: {seen.rejection.message}"
        status.update(phase="Failed", reason=seen.rejection.reason, message=words, containerStatuses=[])
    if old.get("phase") in ("Succeeded", "Failed"):
        status.update({key: old[key] for key in ("phase", "reason", "message") if key in old})
    if old.get("phase") in ("Succeeded", "Failed") and not seen.containers:
        status["containerStatuses"] = old.get("containerStatuses") or []
        status.update({key: old[key] for key in ("initContainerStatuses",) if key in old})
    address = seen.address or old.get("podIP") or ""
    if address:
        status["podIP"] = address
        status["podIPs"] = [{"ip": address}]
    if seen.node_address:
        status["hostIP"] = seen.node_address
        status["hostIPs"] = [{"ip": seen.node_address}]
    status["conditions"] = conditions.pod_conditions(
        pod, status, prepared=seen.prepared, sync_error=seen.sync_error, now=now
    )
    return status


def without_hooks(seen: PodSeen) -> PodSeen:
    """A container is not Running before its postStart hook has ended."""
    if not seen.hooks:
        return seen
    shown = (
        replace(each, step="created") if each.id in seen.hooks and each.step == "running" else each
        for each in seen.containers
    )
    return replace(seen, containers=tuple(shown))


def container_status(pod: Object, container: Object, seen: PodSeen, now: datetime, role: restarts.Role) -> Object:
    """One entry of containerStatuses or of its two kin."""
    init = role == "init"
    name = container["name"]
    attempts = sorted((each for each in seen.containers if each.name == name), key=lambda each: each.attempt)
    found = attempts[-1] if attempts else None
    previous = next((each for each in reversed(attempts[:-1]) if each.step == "exited"), None)
    state, last = _state(pod, container, (found, previous), seen, now, role=role)
    verdict = seen.verdicts.get(found.id) if found else None
    running = "running" in state
    started = running and (verdict is None or verdict.started)
    done = init and not restarts.is_sidecar(container) and bool(found and _succeeded(found))
    ready = done or (started and (verdict is None or verdict.ready) and (not init or restarts.is_sidecar(container)))
    return {
        "name": name,
        "state": state,
        "lastState": {"terminated": terminated(last)} if last else {},
        "ready": ready,
        "started": started,
        "restartCount": found.attempt if found else 0,
        "image": (found.image if found else "") or container.get("image", ""),
        "imageID": found.image_id if found else "",
        **({"containerID": f"podman://{found.id}"} if found and found.step != "created" else {}),
    }


def terminated(ended: ContainerSeen) -> Object:
    """A ContainerStateTerminated."""
    reason = ended.reason or ("Completed" if ended.exit_code == 0 else "Error")
    state: Object = {"exitCode": ended.exit_code, "reason": reason, "containerID": f"podman://{ended.id}"}
    if ended.message:
        state["message"] = ended.message
    if ended.started_at:
        state["startedAt"] = rfc3339(ended.started_at)
    if ended.finished_at:
        state["finishedAt"] = rfc3339(ended.finished_at)
    return state


def _bound_messages(statuses: list[Object]) -> None:
    each_max = MESSAGES_BYTES_MAX // max(1, len(statuses))
    for status in statuses:
        for state in (status["state"], status["lastState"]):
            message = (state.get("terminated") or {}).get("message", "")
            if len(message.encode()) > each_max:
                state["terminated"]["message"] = message.encode()[:each_max].decode("utf-8", "ignore")


def _succeeded(found: ContainerSeen) -> bool:
    return found.step == "exited" and found.exit_code == 0


def _state(
    pod: Object,
    container: Object,
    attempts: tuple[ContainerSeen | None, ContainerSeen | None],
    seen: PodSeen,
    now: datetime,
    *,
    role: restarts.Role,
) -> tuple[Object, ContainerSeen | None]:
    found, previous = attempts
    if found is not None and found.step == "running":
        return {"running": {"startedAt": rfc3339(found.started_at or now)}}, previous
    ended = found if found is not None and found.step == "exited" else None
    failure = seen.failures.get(container["name"])
    if failure is not None and not _over(pod, seen):
        return {"waiting": _failure_words(container, failure.reason, failure.message, failure.at, now)}, ended
    if ended is not None:
        again = restarts.restarts(restarts.policy_of(pod, container, role), ended) and not _over(pod, seen)
        if not again:
            return {"terminated": terminated(ended)}, previous
        at = restarts.restart_at(ended, now)
        if at <= now:
            return {"terminated": terminated(ended)}, previous
        return {"waiting": _restart_words(pod, ended, now)}, ended
    waiting = "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"
    return {"waiting": {"reason": waiting}}, previous


def _over(pod: Object, seen: PodSeen) -> bool:
    return is_deleting(pod) or seen.gone or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _failure_words(container: Object, reason: str, message: str, at: datetime, now: datetime) -> Object:
    if reason == "ErrImagePull" and now >= at + FIRST_WORDS:
        return {
            "reason": "ImagePullBackOff",
            "message": f'Back-off pulling image "{container.get("image", "")}": ErrImagePull: {message}',
        }
    return {"reason": reason, "message": message}


def _restart_words(pod: Object, ended: ContainerSeen, now: datetime) -> Object:
    if ended.reason == "StartError" and ended.finished_at and now < ended.finished_at + FIRST_WORDS:
        return {"reason": "RunContainerError", "message": ended.message}
    seconds = int(restarts.wait_after(restarts.effective_streak(ended)).total_seconds())
    shown = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
    who = f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"
    return {
        "reason": "CrashLoopBackOff",
        "message": f"back-off {shown} restarting failed container={ended.name} pod={who}",
    }


def _phase(pod: Object, inits: list[Object], mains: list[Object], seen: PodSeen) -> str:
    latest = newest(seen.containers)
    policy = str(pod["spec"].get("restartPolicy") or "Always")
    begun = any(each["name"] in latest for each in mains)
    specs = {each["name"]: each for each in pod["spec"].get("initContainers") or ()}
    for status in inits:
        if not restarts.is_sidecar(specs[status["name"]]) and not begun:
            ended = latest.get(status["name"])
            if ended is None or ended.step != "exited":
                return "Pending"
            if ended.exit_code:
                return "Failed" if policy == "Never" else "Pending"
    if not begun or any(each["name"] not in latest or _is_first_start(latest[each["name"]]) for each in mains):
        return "Pending"
    ends = [latest[each["name"]] for each in mains]
    if any(each.step != "exited" for each in ends):
        return "Running"
    if is_deleting(pod) or seen.gone:
        return "Failed" if any(each.exit_code for each in ends) else "Succeeded"
    return _phase_of_ended(policy, ends)


def _is_first_start(found: ContainerSeen) -> bool:
    return found.step == "created" and found.attempt == 0


def _phase_of_ended(policy: str, ends: list[ContainerSeen]) -> str:
    if policy == "Always":
        return "Running"
    if all(each.exit_code == 0 for each in ends):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _deadline(pod: Object, status: Object, now: datetime) -> None:
    seconds: Any = pod["spec"].get("activeDeadlineSeconds")
    if seconds is None or status["phase"] in ("Succeeded", "Failed"):
        return
    if now >= parse_time(status["startTime"]) + timedelta(seconds=seconds):
        status["phase"] = "Failed"
        status["reason"] = "DeadlineExceeded"
        status["message"] = "Pod was active on the node longer than the specified deadline"
