"""When a container that has ended is started again: pure.

The first restart is at once; then the wait is 10 s, doubling to 5 minutes. A container that ran for 10 minutes
starts over. The count of quick ends in a row (`streak`) stands on each container's label, so a kubelet that starts
anew goes on where the last one was.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from kubus.model.objects import Object
from kubus_kubelet.states import ContainerSeen

Role = Literal["main", "init", "ephemeral"]
"""In which of a pod's three lists a container stands."""
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=5)
GOOD_RUN = timedelta(minutes=10)
WORKER_SECONDS_MAX = 60


def wait_after(streak: int) -> timedelta:
    """How long after its end a container that followed `streak` quick ends is started again."""
    if streak <= 0:
        return timedelta(0)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(streak - 1, 10)))


def worker_wait_seconds(failures: int) -> float:
    """How long a pod's worker that failed so many times in a row pauses: 1 s, doubling to a minute."""
    return float(min(WORKER_SECONDS_MAX, 1 << min(failures - 1, 10)))


def effective_streak(ended: ContainerSeen) -> int:
    """The streak of a container that has ended; 0 if it ran long enough."""
    if ended.started_at and ended.finished_at and ended.finished_at - ended.started_at >= GOOD_RUN:
        return 0
    return ended.streak


def restart_at(ended: ContainerSeen, now: datetime) -> datetime:
    """When a container that has ended may be started again; at once if the clock was set back since."""
    finished = ended.finished_at or now
    return now if finished > now else finished + wait_after(effective_streak(ended))


def restarts(policy: str, ended: ContainerSeen) -> bool:
    """Whether a restart policy asks for another attempt."""
    return policy == "Always" or (policy == "OnFailure" and ended.exit_code != 0)


def policy_of(pod: Object, container: Object, role: Role) -> str:
    """The restart policy that holds for one container.

    An init container never runs again once it succeeded, an ephemeral one never at all.
    """
    if role == "ephemeral":
        return "Never"
    own = container.get("restartPolicy")
    if own:
        return str(own)
    policy = str(pod["spec"].get("restartPolicy") or "Always")
    return "OnFailure" if role == "init" and policy == "Always" else policy


def is_sidecar(container: Object) -> bool:
    """An init container that runs beside the others for the pod's whole life (KEP-753)."""
    return container.get("restartPolicy") == "Always"
