"""What a row of probe results means: pure (Kubernetes' pkg/kubelet/prober/worker.go)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubus.model.objects import Object
from kubus_kubelet.states import ProbeVerdict

ProbeKind = Literal["startup", "liveness", "readiness"]
KINDS: tuple[ProbeKind, ...] = ("startup", "liveness", "readiness")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One probe: whether it passed, and what it said."""

    ok: bool
    output: str = ""
    warning: bool = False
    """Passed, but with something to tell: a redirect that is not followed."""


@dataclass(frozen=True, slots=True)
class Streak:
    """How often in a row a probe said the same, and what holds until it has said otherwise often enough."""

    holds: bool
    ok: bool = False
    count: int = 0


def initial(kind: ProbeKind, *, adopted: bool = False) -> Streak:
    """Before the first result: alive, but neither started nor ready, unless a kubelet before this one saw it so."""
    return Streak(holds=kind == "liveness" or adopted)


def after(streak: Streak, probe: Object, outcome: Outcome) -> Streak:
    """The streak with one more result."""
    count = streak.count + 1 if streak.ok == outcome.ok else 1
    threshold = int(probe.get("successThreshold") or 1) if outcome.ok else int(probe.get("failureThreshold") or 3)
    return Streak(holds=outcome.ok if count >= threshold else streak.holds, ok=outcome.ok, count=count)


def failed_for_good(kind: ProbeKind, streak: Streak, probe: Object) -> bool:
    """Whether the container has to be restarted: liveness or startup failed as often as they may."""
    return kind != "readiness" and not streak.ok and streak.count >= int(probe.get("failureThreshold") or 3)


def verdict(streaks: dict[ProbeKind, Streak], failed: str = "") -> ProbeVerdict:
    """What the probes of one container say together."""
    started = streaks["startup"].holds if "startup" in streaks else True
    ready = streaks["readiness"].holds if "readiness" in streaks else True
    return ProbeVerdict(started=started, ready=started and ready, failed=failed)


def port_number(port: int | str, container: Object) -> int:
    """A probe's port, by number or by the name of a container port.

    Raises:
        ValueError: the container has no port of this name.
    """
    if isinstance(port, int):
        return port
    if port.isdigit():
        return int(port)
    for each in container.get("ports") or ():
        if each.get("name") == port:
            return int(each["containerPort"])
    raise ValueError(f"couldn't find port: {port}")
