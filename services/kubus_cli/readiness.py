"""Waiting until a cluster is ready: patient while anything gets on, on however slow a machine.

`Patience` decides, from what the supervisor says, whether to go on waiting. A component that starts or becomes ready
for the first time is progress; one that ends and is started again is not. So a loaded machine may take as long as it
needs, and a component that crashes at every start is given up soon after the last of the others is ready.
"""

from __future__ import annotations

from typing import Any

from kubus.service import SystemClock
from kubus_cli import control
from kubus_cli.advice import command_for
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure, Silent
from kubus_cli.steps import Steps

PATIENCE_SECONDS = 120.0
"""How long nothing may get on."""
PATIENCE_SECONDS_CRASHING = 20.0
"""How long nothing else may get on while a component crashes again and again."""
CRASHES = 5
LOOK_SECONDS = 5.0

Status = dict[str, Any]


class Patience:
    """Whether to go on waiting."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._reached: set[tuple[str, str]] = set()

    def is_over(self, instances: list[Status], now: float) -> bool:
        """True if nothing has got on for too long."""
        reached = {stage for each in instances for stage in _stages(each)}
        if not reached <= self._reached:
            self._since = now
        self._reached |= reached
        crashing = any(not each["ready"] and each["restarts"] > CRASHES for each in instances)
        return now - self._since > (PATIENCE_SECONDS_CRASHING if crashing else PATIENCE_SECONDS)


def _stages(instance: Status) -> list[tuple[str, str]]:
    name = instance["instance"]
    return [(name, stage) for stage, there in (("runs", instance["pid"]), ("ready", instance["ready"])) if there]


def wait_until_ready(cluster: Cluster, steps: Steps, *, started: bool) -> None:
    """Show each instance as it becomes ready, until all are.

    Of a cluster that ran before (not `started`) only those are shown that were not ready already.

    Raises:
        Failure: some never will be, or nothing gets on.
    """
    clock = SystemClock()
    patience = Patience(clock.monotonic())
    told: set[str] | None = set() if started else None
    status: Status = {"instances": []}
    while True:
        try:
            for status in control.stream(cluster, {"do": "watch"}, timeout_seconds=LOOK_SECONDS):
                instances = status["instances"]
                if told is None:
                    told = {each["instance"] for each in instances if each["ready"]}
                _tell(instances, told, steps)
                left = [each["instance"] for each in instances if not each["ready"] and not each["hopeless"]]
                if not left:
                    return _conclude(cluster, status, steps)
                if patience.is_over(instances, clock.monotonic()):
                    raise not_ready(cluster, status, "nothing gets on")
                steps.waiting(", ".join(left))
            raise not_ready(cluster, status, "the supervisor ended")
        except Silent:
            if patience.is_over(status["instances"], clock.monotonic()):
                raise not_ready(cluster, status, "nothing gets on") from None


def _conclude(cluster: Cluster, status: Status, steps: Steps) -> None:
    if any(not each["ready"] for each in status["instances"]):
        raise not_ready(cluster, status, "not every component became ready")
    steps.done(f"cluster {cluster.name!r} is ready: https://127.0.0.1:{cluster.ports.api}", steps.seconds)


def _tell(instances: list[Status], told: set[str], steps: Steps) -> None:
    for each in instances:
        name = each["instance"]
        if name in told:
            continue
        if each["ready"]:
            told.add(name)
            steps.done(name, each["readySeconds"] if each["restarts"] == 0 else None)
        elif each["state"] in ("failed", "absent"):
            told.add(name)
            steps.failed(f"{name}: {'cannot be loaded' if each['state'] == 'absent' else each['reason']}")


def not_ready(cluster: Cluster, status: Status, why: str) -> Failure:
    """The failure that names every component that is not ready, and where to look."""
    bad = [each for each in status["instances"] if not each["ready"]]
    shown = ", ".join(f"{each['instance']} ({each['state']}{_because(each['reason'])})" for each in bad)
    first = bad[0]["instance"] if bad else "supervisor"
    return Failure(f"{why}: {shown or 'no component is known'}", f"see: {command_for(cluster, 'logs', first)}")


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
