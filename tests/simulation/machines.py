"""The machines: the truth of what runs, which no kubelet's memory is.

A machine keeps its containers when its kubelet dies, and loses them when its power goes. It notes everything that
would break a promise: a pod that runs twice, runs again after it was stopped for good, or restarts without a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tests.simulation.chronicle import Chronicle

from kubus.model.objects import Object, name_of, namespace_of, uid_of
from kubus.model.times import Clock

End = Literal["crashed", "power", "stopped"]


@dataclass(slots=True)
class Running:
    """A pod's containers, running."""

    pod: str
    attempt: int
    """How often they ran before."""
    address: str
    since: datetime


@dataclass(slots=True)
class History:
    """What a pod's containers have been through, anywhere."""

    machine: str
    attempts: int = 0
    end: End | None = None
    """How the last run ended; None while it runs."""


@dataclass(slots=True)
class Truth:
    """What all machines together know of a pod."""

    of: dict[str, History] = field(default_factory=dict)
    """By pod uid."""


class Machine:
    """One machine."""

    def __init__(self, name: str, address: str, truth: Truth, chronicle: Chronicle, clock: Clock) -> None:
        self.name = name
        self.address = address
        self.powered = True
        self.running: dict[str, Running] = {}
        self._truth = truth
        self._chronicle = chronicle
        self._clock = clock
        self._hosts = 0

    def run(self, pod: Object, pod_range: str) -> None:
        """Start a pod's containers."""
        uid, name = uid_of(pod), f"{namespace_of(pod)}/{name_of(pod)}"
        before = self._truth.of.get(uid)
        if before is None:
            history = self._truth.of[uid] = History(self.name)
        else:
            history = before
            self._judge(name, before)
            history.attempts += 1
            history.machine, history.end = self.name, None
        self.running[uid] = Running(name, history.attempts, self._address(pod_range), self._clock.now())
        self._chronicle.tell(self.name, f"runs {name} (run {history.attempts + 1})")

    def _judge(self, name: str, before: History) -> None:
        promise = "one running generation a pod uid"
        if before.end is None:
            self._chronicle.break_promise(promise, f"{name} is started on {self.name} and runs on {before.machine}")
        elif before.machine != self.name:
            self._chronicle.break_promise(promise, f"{name} ran on {before.machine} and is started on {self.name}")
        elif before.end == "stopped":
            self._chronicle.break_promise("what was stopped stays so", f"{name} is started again on {self.name}")

    def _address(self, pod_range: str) -> str:
        """An address of the node's range that is not in use."""
        used = {each.address for each in self.running.values()}
        prefix = pod_range.rpartition(".")[0]
        while True:
            self._hosts = self._hosts % 250 + 1
            address = f"{prefix}.{self._hosts + 1}"
            if address not in used:
                return address

    def end(self, uid: str, how: End) -> None:
        """A pod's containers end, if they run here."""
        ended = self.running.pop(uid, None)
        if ended is not None:
            self._truth.of[uid].end = how
            self._chronicle.tell(self.name, f"{how}: {ended.pod}")

    def attempt(self, uid: str) -> int:
        """How often a pod's containers have been started again."""
        history = self._truth.of.get(uid)
        return history.attempts if history is not None else -1

    def lose_power(self) -> None:
        """Everything on the machine ends at once."""
        self.powered = False
        for uid in list(self.running):
            self.end(uid, "power")
