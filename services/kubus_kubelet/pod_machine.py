"""What a pod needs next: pure, the heart of the kubelet.

`decide(pod, seen, now)` looks at the pod's object and at what is on the node and says which actions bring the one
nearer to the other, and which status is true now. It is level-triggered: called again with the same world it says
the same, an action under way (`seen.busy`) is not asked for twice, and a kubelet that starts anew needs no memory.

    living   prepare the sandbox → init containers, one after the other → containers, each by its restart policy
    ending   deleted, past its deadline, or all ended: stop what runs (sidecars last) → release → remove
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kubus.model.objects import Object, is_deleting, metadata
from kubus.model.times import parse_time
from kubus_kubelet import restarts
from kubus_kubelet.container_specs import image_hash
from kubus_kubelet.states import (
    Action,
    ContainerSeen,
    Decision,
    PodSeen,
    PreparePod,
    ReleasePod,
    RemoveContainer,
    RemovePod,
    ResumeContainer,
    StartContainer,
    StopContainer,
)
from kubus_kubelet.statuses import FIRST_WORDS, newest, pod_status

DEFAULT_GRACE_SECONDS = 30
SANDBOX_CHANGED = "Pod sandbox changed, it will be killed and re-created."
TERMINAL = ("Succeeded", "Failed")


class _Plan:
    """Actions and the earliest moment to look again, while they are being collected."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.again_at: datetime | None = None

    def later(self, at: datetime) -> None:
        if self.again_at is None or at < self.again_at:
            self.again_at = at


def decide(pod: Object, seen: PodSeen, now: datetime) -> Decision:
    """The actions that are due, the status, and when to decide again."""
    plan = _Plan()
    status = pod_status(pod, seen, now)
    _words_change(plan, seen, now)
    if is_deleting(pod) or seen.gone:
        _end(plan, pod, seen, remove=True)
    elif status["phase"] in TERMINAL:
        _end(plan, pod, seen, remove=False)
    elif not seen.prepared:
        _prepare(plan, pod, seen, now)
    else:
        _live(plan, pod, seen, now)
        _drop_old(plan, seen)
    _deadline(plan, pod, status)
    return Decision(tuple(plan.actions), status, plan.again_at)


def _words_change(plan: _Plan, seen: PodSeen, now: datetime) -> None:
    moments = [failure.at for failure in seen.failures.values()]
    moments += [each.finished_at for each in seen.containers if each.step == "exited" and each.finished_at]
    for moment in moments:
        if now < moment + FIRST_WORDS:
            plan.later(moment + FIRST_WORDS)


def _prepare(plan: _Plan, pod: Object, seen: PodSeen, now: datetime) -> None:
    running = [each for each in seen.containers if each.step == "running"]
    if running and not seen.address:  # their sandbox is gone, and another is not theirs
        plan.actions += [
            StopContainer(each.id, each.name, grace_seconds(pod), SANDBOX_CHANGED, hook=False)
            for each in running
            if each.name not in seen.busy
        ]
        return
    failure = seen.failures.get("")
    if failure is not None and failure.retry_at > now:
        plan.later(failure.retry_at)
    elif "" not in seen.busy:
        plan.actions.append(PreparePod())


def _deadline(plan: _Plan, pod: Object, status: Object) -> None:
    seconds = pod["spec"].get("activeDeadlineSeconds")
    if seconds is not None and status.get("startTime") and status["phase"] not in TERMINAL:
        plan.later(parse_time(status["startTime"]) + timedelta(seconds=seconds))


def _live(plan: _Plan, pod: Object, seen: PodSeen, now: datetime) -> None:
    spec = pod["spec"]
    latest = newest(seen.containers)
    begun = any(container["name"] in latest for container in spec["containers"])
    for container in spec.get("initContainers") or ():
        found = latest.get(container["name"])
        if restarts.is_sidecar(container):
            _advance(plan, pod, container, seen, now, role="init")
            if not begun and not _is_up(found, seen):
                return
        elif not begun and not (found and found.step == "exited" and found.exit_code == 0):
            _advance(plan, pod, container, seen, now, role="init")
            return
    held = False
    for container in spec["containers"]:
        found = latest.get(container["name"])
        if found is not None or not held:
            _advance(plan, pod, container, seen, now, role="main")
        held = held or _awaits_hook(container, found, seen)
    for container in spec.get("ephemeralContainers") or ():
        _advance(plan, pod, container, seen, now, role="ephemeral")


def _awaits_hook(container: Object, found: ContainerSeen | None, seen: PodSeen) -> bool:
    """True until a container's postStart hook has ended: Kubernetes starts the containers after it only then."""
    if not (container.get("lifecycle") or {}).get("postStart"):
        return False
    name = container["name"]
    return name in seen.busy or (found is None and name not in seen.failures)


def _is_up(found: ContainerSeen | None, seen: PodSeen) -> bool:
    if found is None or found.step != "running" or found.name in seen.busy:
        return False
    verdict = seen.verdicts.get(found.id)
    return verdict is None or verdict.started


def _advance(plan: _Plan, pod: Object, container: Object, seen: PodSeen, now: datetime, *, role: restarts.Role) -> None:
    name = container["name"]
    found = newest(seen.containers).get(name)
    if name in seen.busy:
        return
    if found is None:
        _start(plan, seen, StartContainer(name, 0, 0), now)
    elif found.step == "created":
        plan.actions.append(ResumeContainer(found.id, name))
    elif found.step == "running":
        _keep(plan, pod, container, found, seen)
    elif restarts.restarts(restarts.policy_of(pod, container, role), found):
        at = restarts.restart_at(found, now)
        if at > now:
            plan.later(at)
        else:
            streak = restarts.effective_streak(found) + 1
            _start(plan, seen, StartContainer(name, found.attempt + 1, streak), now)


def _start(plan: _Plan, seen: PodSeen, action: StartContainer, now: datetime) -> None:
    failure = seen.failures.get(action.name)
    if failure is not None and failure.retry_at > now:
        plan.later(failure.retry_at)
    else:
        plan.actions.append(action)


def _keep(plan: _Plan, pod: Object, container: Object, found: ContainerSeen, seen: PodSeen) -> None:
    verdict = seen.verdicts.get(found.id)
    if verdict is not None and verdict.failed:
        message = f"Container {found.name} failed {verdict.failed}, will be restarted"
        grace = _probe_grace(container, verdict.failed, grace_seconds(pod))
        plan.actions.append(StopContainer(found.id, found.name, grace, message))
    elif found.image_hash and found.image_hash != image_hash(container):
        message = f"Container {found.name} definition changed, will be restarted"
        plan.actions.append(StopContainer(found.id, found.name, grace_seconds(pod), message))


def _probe_grace(container: Object, failed: str, default: float) -> float:
    probe = container.get("livenessProbe" if failed.startswith("liveness") else "startupProbe") or {}
    return float(probe.get("terminationGracePeriodSeconds") or default)


def grace_seconds(pod: Object) -> float:
    """How long the pod's containers have between the stop signal and SIGKILL."""
    for seconds in (metadata(pod).get("deletionGracePeriodSeconds"), pod["spec"].get("terminationGracePeriodSeconds")):
        if seconds is not None:
            return float(max(1, seconds))
    return DEFAULT_GRACE_SECONDS


def _end(plan: _Plan, pod: Object, seen: PodSeen, *, remove: bool) -> None:
    running = [each for each in seen.containers if each.step == "running"]
    sidecars = {each["name"] for each in pod["spec"].get("initContainers") or () if restarts.is_sidecar(each)}
    if any(name and name not in sidecars for name in seen.busy) or any(each.name not in sidecars for each in running):
        running = [each for each in running if each.name not in sidecars]
    for each in running:
        if each.name not in seen.busy:
            message = f"Stopping container {each.name}"
            plan.actions.append(StopContainer(each.id, each.name, grace_seconds(pod), message))
    if running or seen.busy:
        return
    if remove:
        plan.actions.append(RemovePod())
    elif seen.prepared or seen.address:
        plan.actions.append(ReleasePod())


def _drop_old(plan: _Plan, seen: PodSeen) -> None:
    latest = newest(seen.containers)
    for each in seen.containers:
        top = latest[each.name]
        if each.step != "running" and each.attempt < top.attempt - 1 and each.name not in seen.busy:
            plan.actions.append(RemoveContainer(each.id, each.name))
