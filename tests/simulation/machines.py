"""The machines: the truth of what runs, which no kubelet's memory is.

A machine has a Podman, sandboxes and a disk (`parts`). It keeps its containers when its kubelet dies, and loses them
when its power goes. It notes everything that would break a promise: a pod that runs twice, runs again after it was
stopped for good, or restarts without a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import Literal

from tests.simulation.chronicle import Chronicle
from tests.simulation.parts import FakeAddresses, FakeContainer, FakePodman

from kubus.model.objects import Object, name_of, namespace_of, uid_of
from kubus.testing.clock import SimulatedClock
from kubus_kubelet import container_specs

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
    undone: bool = False
    """Whether the store has gone back since: the next run may be anywhere, and in spite of everything."""


@dataclass(slots=True)
class Truth:
    """What all machines together know of a pod."""

    of: dict[str, History] = field(default_factory=dict)
    """By pod uid."""

    def restored(self) -> None:
        """The store has gone back: what it decided of the pods may be decided again."""
        for history in self.of.values():
            history.undone = True


class Machine:
    """One machine."""

    def __init__(self, name: str, address: str, truth: Truth, chronicle: Chronicle, clock: SimulatedClock) -> None:
        self.name = name
        self.address = address
        self.powered = True
        self.running: dict[str, Running] = {}
        self.podman = FakePodman(clock, on_start=self._started, on_end=self._ended)
        self.addresses = FakeAddresses(prefix="")
        self.disk = TemporaryDirectory(prefix="kubus-simulation-")
        self.unwanted: Callable[[str], bool] = lambda uid: False
        """Whether the machine's kubelet wants a pod, by uid, ended for good."""
        self._truth = truth
        self._chronicle = chronicle
        self._clock = clock

    def _started(self, container: FakeContainer) -> None:
        labels = container.spec["labels"]
        uid = labels[container_specs.UID]
        names = {"namespace": labels[container_specs.NAMESPACE], "name": labels[container_specs.POD], "uid": uid}
        self.run({"metadata": names}, self.addresses.address(uid))

    def _ended(self, container: FakeContainer, wanted: bool) -> None:
        uid = container.spec["labels"][container_specs.UID]
        if not self.powered:
            self.end(uid, "power")
        else:
            self.end(uid, "stopped" if wanted and self.unwanted(uid) else "crashed")

    def run(self, pod: Object, address: str) -> None:
        """A pod's container is started."""
        uid, name = uid_of(pod), f"{namespace_of(pod)}/{name_of(pod)}"
        before = self._truth.of.get(uid)
        if before is None:
            history = self._truth.of[uid] = History(self.name)
        else:
            history = before
            self._judge(name, before)
            history.attempts += 1
            history.machine, history.end = self.name, None
        self.running[uid] = Running(name, history.attempts, address, self._clock.now())
        self._chronicle.tell(self.name, f"runs {name} (run {history.attempts + 1})")

    def _judge(self, name: str, before: History) -> None:
        if before.undone:
            before.undone = False
            return
        promise = "one running generation a pod uid"
        if before.end is None:
            self._chronicle.break_promise(promise, f"{name} is started on {self.name} and runs on {before.machine}")
        elif before.machine != self.name:
            self._chronicle.break_promise(promise, f"{name} ran on {before.machine} and is started on {self.name}")
        elif before.end == "stopped":
            self._chronicle.break_promise("what was stopped stays so", f"{name} is started again on {self.name}")

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
        self.podman.lose_power()
        self.addresses.by_uid.clear()
        self.addresses.vanished.clear()
