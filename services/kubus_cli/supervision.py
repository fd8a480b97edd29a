"""What the supervisor decides: what to start when, given what has started, become ready and ended. No I/O.

The driver tells every event (`started`, `noticed`, `ended`) with the moment, and asks `due` after each. An instance
that ends unasked, and not because its work is done, is started again: at once the first time, then after pauses that
double to ten seconds; after half a minute of running the count begins anew. One that says that its settings are wrong,
or is not installed, is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from kubus.service.forkserver import EXIT_NO_SERVICE
from kubus.service.life import EXIT_CONFIG
from kubus_cli.components import Component

State = Literal["waiting", "starting", "ready", "not ready", "back-off", "done", "failed", "absent", "stopped"]
PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 10.0
STEADY_SECONDS = 30.0
ENDED: tuple[State, ...] = ("failed", "absent", "stopped")
READY: tuple[State, ...] = ("ready", "done")


@dataclass(slots=True)
class Instance:
    """One component and how it does."""

    component: Component
    state: State = "waiting"
    pid: int = 0
    reason: str = ""
    restarts: int = 0
    started_at: float = 0.0
    ready_seconds: float | None = None
    """From its first start to its first readiness."""
    start_at: float = 0.0
    been_ready: bool = False
    failures_in_a_row: int = 0

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self.pid != 0

    def remember_ready(self, now: float) -> None:
        """Note the first moment of readiness."""
        if not self.been_ready:
            self.been_ready = True
            self.ready_seconds = round(now - self.started_at, 3)

    def shown(self, now: float) -> dict[str, Any]:
        """For `status`."""
        return {
            "instance": self.component.instance,
            "service": self.component.service or self.component.instance,
            "state": self.state,
            "ready": self.state in READY,
            "pid": self.pid,
            "restarts": self.restarts,
            "uptimeSeconds": round(now - self.started_at, 3) if self.runs else 0,
            "readySeconds": self.ready_seconds,
            "reason": self.reason,
        }


class Supervision:
    """All instances of a cluster."""

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}
        self._stopping = False
        self._retired: set[str] = set()

    def add(self, components: list[Component]) -> list[Component]:
        """Take on components; those that are new."""
        new = [each for each in components if each.instance not in self.instances]
        self.instances.update({each.instance: Instance(each) for each in new})
        return new

    def retire(self, components: list[Component]) -> list[str]:
        """The instances that are not among the components: they are not started any more, and are to be ended."""
        wanted = {each.instance for each in components}
        gone = [name for name in self.instances if name not in wanted]
        self._retired |= set(gone)
        return gone

    def forget(self, names: list[str]) -> None:
        """Retired instances have ended."""
        for name in names:
            del self.instances[name]
        self._retired -= set(names)

    def due(self, now: float) -> tuple[list[Component], float | None]:
        """(components to start now, the moment to ask again because a pause ends, if any)."""
        if self._stopping:
            return [], None
        start: list[Component] = []
        later: list[float] = []
        for name, each in self.instances.items():
            if name in self._retired or each.state not in ("waiting", "back-off") or not self._may_start(each):
                continue
            if each.start_at <= now:
                start.append(each.component)
            else:
                later.append(each.start_at)
        return start, min(later, default=None)

    def _may_start(self, instance: Instance) -> bool:
        return all(self.instances[name].been_ready for name in instance.component.after)

    def starting(self, name: str, now: float) -> None:
        """The driver is about to start it."""
        instance = self.instances[name]
        instance.state, instance.started_at, instance.reason = "starting", now, ""

    def started(self, name: str, pid: int, now: float) -> None:
        """It has a process."""
        instance = self.instances[name]
        instance.pid = pid
        if instance.state != "ready":  # the notice of readiness may be faster than this one
            instance.started_at = now

    def noticed(self, name: str, ready: bool, reason: str, now: float) -> None:
        """It said that it is ready, or not; the reason may also be what a ready stand-by waits for."""
        instance = self.instances.get(name)
        if instance is None or instance.state not in ("starting", "ready", "not ready"):
            return
        instance.state = "ready" if ready else "not ready"
        instance.reason = reason
        if ready:
            instance.remember_ready(now)

    def ended(self, pid: int, status: int, now: float) -> None:
        """A process is gone."""
        for instance in self.instances.values():
            if instance.pid == pid:
                self._ended(instance, status, now)

    def _ended(self, instance: Instance, status: int, now: float) -> None:
        instance.pid = 0
        instance.reason = f"killed by signal {-status}" if status < 0 else f"ended with status {status}"
        if self._stopping or instance.component.instance in self._retired:
            instance.state = "stopped"
        elif status == 0 and instance.component.ends:
            instance.state, instance.reason = "done", ""
            instance.remember_ready(now)
        elif status == EXIT_CONFIG:
            instance.state = "failed"
        elif status == EXIT_NO_SERVICE:
            instance.state = "absent"
        else:
            if now - instance.started_at >= STEADY_SECONDS:
                instance.failures_in_a_row = 0
            instance.state = "back-off"
            instance.start_at = now + pause_seconds(instance.failures_in_a_row)
            instance.failures_in_a_row += 1
            instance.restarts += 1

    def restart_now(self, name: str) -> None:
        """Forget pauses and failures of an instance that does not run."""
        instance = self.instances[name]
        instance.failures_in_a_row, instance.start_at = 0, 0.0
        if instance.state in (*ENDED, "done"):
            instance.state = "waiting"

    def stop(self) -> list[list[str]]:
        """From now on nothing is started. The instances to end, in this order: what depends on others first."""
        self._stopping = True
        for instance in self.instances.values():
            if not instance.runs:
                instance.state = "stopped"
        order: list[list[str]] = []
        left = set(self.instances)
        while left:
            needed = {name for each in left for name in self.instances[each].component.after}
            group = sorted(left - needed)
            order.append(group)
            left -= set(group)
        return order

    def all_ready(self) -> bool:
        """Whether every instance is ready."""
        return all(each.state in READY for each in self.instances.values())

    def shown(self, now: float) -> list[dict[str, Any]]:
        """All instances, for `status`; `hopeless` are those that will not become ready as things are."""
        return [{**each.shown(now), "hopeless": self._is_hopeless(each)} for each in self.instances.values()]

    def _is_hopeless(self, instance: Instance) -> bool:
        waits_for = (self.instances[name] for name in instance.component.after)
        return instance.state in ENDED or (
            instance.state == "waiting" and any(not each.been_ready and self._is_hopeless(each) for each in waits_for)
        )


def pause_seconds(failures: int) -> float:
    """How long to wait after the n-th failure in a row."""
    return 0.0 if failures == 0 else min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_FIRST * 2.0 ** min(failures - 1, 16))
