"""The cluster: what lasts (store, broker, journal, machines), and the services as processes that come and go.

A process has its own connection to the bus and its own way to the store. Killing it cuts both and cancels its tasks, so
that nothing it does on its way out is heard by anybody; a new one starts with an empty memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from tests.simulation.chronicle import Chronicle
from tests.simulation.doors import Gaps, InspectedStore
from tests.simulation.machines import Machine, Truth
from tests.simulation.node import Kubelet

from kubus.bus import BusError
from kubus.bus.journal import MemoryJournal
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client.over_bus import BusClient
from kubus.machinery.informer import Informer
from kubus.model.errors import StatusError
from kubus.model.kinds import Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.sealing import Seals
from kubus.service.logs import Logger
from kubus.store import StoreError
from kubus.testing.clock import OWNER, SimulatedClock, SimulatedLoop
from kubus.testing.faulty_bus import Faults, FaultyBus
from kubus.testing.faulty_store import FaultyStore, StoreFaults
from kubus_apiserver.bootstrap import bootstrap
from kubus_apiserver.core import SERVICE_CIDR, Core
from kubus_apiserver.core import build as build_core
from kubus_apiserver.doors.busdoor import BusDoor
from kubus_apiserver.sealedstore import SealedStore
from kubus_controllers import main as controllers_main
from kubus_controllers.settings import ControllersSettings
from kubus_relay.relay import Relay
from kubus_relay.standby import Standby, standby_terms
from kubus_scheduler import main as scheduler_main

Work = Callable[["Connections"], Awaitable[None]]
_IDENTITIES = {
    "apiserver": "system:apiserver",
    "relay": "system:relay",
    "scheduler": "system:kube-scheduler",
    "controllers": "system:kube-controller-manager",
}
SEALING_KEY = bytes(range(32))
LATENCIES_SECONDS = (0.002, 0.005, 0.02, 0.2)
LOSSES = (0.0, 0.01, 0.01, 0.05)


@dataclass(frozen=True, slots=True)
class Connections:
    """How one run of a process reaches the others."""

    raw_bus: MemoryBus
    bus: FaultyBus
    bus_faults: Faults
    store: FaultyStore
    store_faults: StoreFaults
    random: Random
    gaps: Gaps


@dataclass(slots=True)
class Process:
    """A service that can be killed and started again."""

    name: str
    work: Work
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    """Its own, as chaos may set it wrong."""
    connections: Connections | None = None
    running: asyncio.Task[None] | None = None
    runs: int = 0
    informers: list[Informer] = field(default_factory=list)
    core: Core | None = None
    kubelet: Kubelet | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.running is not None


class Cluster:
    """Everything, by one seed."""

    def __init__(self, seed: str, chronicle: Chronicle, clock: SimulatedClock, *, nodes: int, faulty: bool) -> None:
        self.chronicle = chronicle
        self.clock = clock
        self.store = InspectedStore(clock, chronicle)
        self.broker = MemoryBroker()
        self.truth = Truth()
        self.machines = {
            f"n{number}": Machine(f"n{number}", f"10.0.0.{number}", self.truth, chronicle, clock)
            for number in range(1, nodes + 1)
        }
        self._seed = seed
        self._faulty = faulty
        how_bad = self.random("how bad")
        self._latency_seconds = how_bad.choice(LATENCIES_SECONDS)
        self._loss = how_bad.choice(LOSSES)
        self._journal: list[tuple[str, bytes, int]] = []
        self._tasks: asyncio.TaskGroup | None = None
        self.on_restore: list[Callable[[int, int], None]] = []
        """Called with the revision that is kept and the one that was the newest."""
        self.processes: dict[str, Process] = {}
        for number in (1, 2):
            self._add(f"apiserver-{number}", self._apiserver)
            self._add(f"relay-{number}", self._relay)
            self._add(f"scheduler-{number}", self._scheduler)
            self._add(f"controllers-{number}", self._controllers)
        for name in self.machines:
            self._add(f"kubelet-{name}", self._kubelet)

    def _add(self, name: str, work: Callable[[Process, Connections], Awaitable[None]]) -> None:
        process = Process(name, lambda connections: work(process, connections))
        self.processes[name] = process

    def random(self, what: str) -> Random:
        """A source of its own for everybody, so that one more draw here changes nothing there."""
        return Random(f"{self._seed}/{what}")

    def run_in(self, tasks: asyncio.TaskGroup) -> None:
        """Start every process."""
        self._tasks = tasks
        for process in self.processes.values():
            self.start(process)

    def connect(self, name: str) -> Connections:
        """Connections for one run of a process, with the faults of this story."""
        random = self.random(f"connections of {name}")
        raw = MemoryBus(self.broker, _identity(name))
        bus_faults = Faults(latency_seconds_max=self._latency_seconds)
        store_faults = StoreFaults(latency_seconds_max=self._latency_seconds)
        if self._faulty:
            bus_faults.lose = bus_faults.repeat = bus_faults.delay = self._loss
            bus_faults.disturb = self._loss / 20
            bus_faults.unasked = bus_faults.unanswered = self._loss / 3
            store_faults.refuse = store_faults.silence = self._loss / 3
        gaps = Gaps(name, self.chronicle)
        bus = FaultyBus(raw, bus_faults, random, on_message=gaps.saw)
        store = FaultyStore(self.store, store_faults, random)
        return Connections(raw, bus, bus_faults, store, store_faults, random, gaps)

    def start(self, process: Process) -> None:
        """Start a process that is not alive."""
        assert self._tasks is not None and not process.alive
        process.runs += 1
        process.connections = self.connect(f"{process.name} run {process.runs}")
        self.chronicle.tell(process.name, "starts")
        process.running = self._tasks.create_task(self._live(process, process.connections))

    def kill(self, process: Process) -> None:
        """Kill -9: from now on nobody hears of it."""
        if process.running is None or process.connections is None:
            return
        self.chronicle.tell(process.name, "is killed")
        self.broker.disconnect(process.connections.raw_bus)
        process.connections.store_faults.refuse = 1.0
        self.thaw(process)
        process.running.cancel()
        process.running = process.connections = process.core = process.kubelet = None
        process.informers = []

    def freeze(self, process: Process) -> None:
        """SIGSTOP: nothing of it runs, and its connections stay."""
        _loop().freeze(process.name)

    def thaw(self, process: Process) -> None:
        """SIGCONT: it goes on as if no time had passed."""
        _loop().thaw(process.name)

    async def _live(self, process: Process, connections: Connections) -> None:
        mine = asyncio.current_task()
        OWNER.set(process.name)
        try:
            await process.work(connections)
        except (Exception, asyncio.CancelledError) as error:
            if process.running is mine:
                if isinstance(error, asyncio.CancelledError):
                    raise
                self.chronicle.break_promise("a service lives until it is killed", f"{process.name}: {_leaves(error)}")
        finally:
            await connections.raw_bus.aclose()

    async def _apiserver(self, process: Process, connections: Connections) -> None:
        store = SealedStore(connections.store, Seals([SEALING_KEY], connections.random.randbytes))
        core = build_core(store, process.clock, connections.random, Registry(builtin_kinds()))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(core.run())
            await core.loaded()
            await _insist(lambda: bootstrap(core, SERVICE_CIDR, "10.0.0.100", 6443))
            tasks.create_task(_insist(core.allocations.release_leftovers))
            process.core = core
            await BusDoor(core, Logger("apiserver")).serve(connections.bus)

    async def _relay(self, process: Process, connections: Connections) -> None:
        journal = MemoryJournal(connections.bus, self._journal)  # the entries are the server's
        relay = Relay(connections.store, connections.bus, journal, process.clock, on_state=lambda why_not: None)
        client = BusClient(connections.bus, "system:relay", manager="relay", timeout_seconds=2.0, patience_seconds=0.0)
        terms = standby_terms(process.name, connections.random)
        standby = Standby(client, process.clock, terms, able=lambda: relay.following)
        await standby.run(relay.run, on_waiting=lambda _: None)

    async def _scheduler(self, process: Process, connections: Connections) -> None:
        client = BusClient(connections.bus, "system:kube-scheduler", manager="scheduler")
        scheduler = scheduler_main.assemble(
            connections.bus, client, clock=process.clock, random=connections.random, instance=process.name
        )
        process.informers = list(scheduler.informers)
        connections.gaps.watch(process.informers)
        await scheduler.run()

    async def _controllers(self, process: Process, connections: Connections) -> None:
        client = BusClient(connections.bus, "system:kube-controller-manager", manager="controllers")
        manager = controllers_main.assemble(
            connections.bus,
            client,
            ControllersSettings(),
            clock=process.clock,
            random=connections.random,
            instance=process.name,
            ca="a certificate",
        )
        process.informers = list(manager.controllers.informers)
        connections.gaps.watch(process.informers)
        await manager.run()

    async def _kubelet(self, process: Process, connections: Connections) -> None:
        machine = self.machines[process.name.removeprefix("kubelet-")]
        client = BusClient(connections.bus, f"system:node:{machine.name}", manager="kubelet")
        kubelet = Kubelet(machine, connections.bus, client, process.clock, connections.random)
        process.kubelet = kubelet
        process.informers = [kubelet.informer]
        connections.gaps.watch(process.informers)
        await kubelet.run()

    def forget_journal(self) -> None:
        """The journal is wiped."""
        self._journal.clear()

    def restore_store(self, kept: int, newest: int) -> None:
        """The store goes back to a revision, as an etcd restored from a snapshot of then.

        What runs on the machines stays: a pod may be placed once more, elsewhere, before its kubelets learn of it.
        """
        self.store.restore(kept)
        self.truth.restored()
        for process in self.processes.values():
            if process.connections is not None:
                process.connections.gaps.restored()
        for listener in self.on_restore:
            listener(kept, newest)

    def store_away(self, away: bool) -> None:
        """Nobody's questions to the store are answered; or as before."""
        for process in self.processes.values():
            if process.connections is not None:
                process.connections.store_faults.refuse = 1.0 if away else self._loss / 3 * self._faulty

    def calm(self) -> None:
        """No more faults from now on, and everybody is reachable."""
        self._faulty = False
        for process in self.processes.values():
            if process.connections is not None:
                process.connections.bus_faults.stop()
                process.connections.store_faults.stop()
                if self.broker.is_away(process.connections.raw_bus):
                    self.broker.reconnect(process.connections.raw_bus)


def _loop() -> SimulatedLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    return loop


async def _insist(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
            return
        except (StatusError, StoreError, BusError):
            await asyncio.sleep(0.2)


def _leaves(error: BaseException) -> str:
    """The errors of a group, each in a word."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(_leaves(each) for each in error.exceptions)
    return repr(error)


def _identity(name: str) -> str:
    """Under which identity a process is on the bus: replies to its requests go to that inbox only."""
    service, _, rest = name.partition(" ")[0].partition("-")
    if service == "kubelet":
        return f"system:node:{rest}"
    return _IDENTITIES.get(service, "kubernetes-admin")
