"""Chaos: what goes wrong beyond lost messages, one thing every few seconds.

Processes are killed and come back, connections are cut for a while, machines lose power, the store is away for
everybody, history is compacted, the journal forgotten, a clock set wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.simulation.cluster import Cluster, Process

from kubus.model.codec import pack
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, parse_store_key, store_key
from kubus.store import Compacted, Conflict, FutureRevision
from kubus.store.memory import MemoryStore

VANISHING_SHARE = 0.1
CORRUPTED = (
    "pods.core",
    "services.core",
    "replicasets.apps",
    "deployments.apps",
    "configmaps.core",
    "endpointslices.discovery.k8s.io",
)
CORRUPT_NAME = "corrupt-"
PAUSES_SECONDS_MEAN = (2.0, 6.0, 6.0, 20.0)


class Chaos:
    """Does harm until it is cancelled; `end` repairs it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._random = cluster.random("chaos")
        self._pause_seconds_mean = self._random.choice(PAUSES_SECONDS_MEAN)

    async def run(self) -> None:
        """One thing after the other, several at a time."""
        harms: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._kill, 6),
            (self._cut_off, 4),
            (self._freeze, 3),
            (self._lose_power, 2),
            (self._take_store_away, 1),
            (self._crash_containers, 4),
            (self._compact, 1),
            (self._forget_journal, 1),
            (self._restore, 2),
            (self._disturb_everybody, 1),
            (self._set_clock_wrong, 1),
            (self._fail_workers, 3),
            (self._vanish, 3),
            (self._slow_runtime, 2),
            (self._corrupt_an_object, 2),
        ]
        works, weights = zip(*harms, strict=True)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await asyncio.sleep(self._random.expovariate(1 / self._pause_seconds_mean))
                tasks.create_task(self._random.choices(works, weights)[0]())

    def end(self) -> None:
        """Everything is repaired: power, processes, connections."""
        cluster = self._cluster
        cluster.calm()
        for machine in cluster.machines.values():
            machine.powered = True
            machine.podman.call_seconds = machine.podman.list_seconds = 0.0
        for process in cluster.processes.values():
            cluster.thaw(process)
            if not process.alive:
                cluster.start(process)
            if process.kubelet is not None:
                process.kubelet.failing.clear()

    async def _kill(self) -> None:
        process = self._somebody()
        if process is None:
            return
        self._cluster.kill(process)
        await asyncio.sleep(self._random.choice((0.05, 1.0, 5.0, 20.0)) * self._random.random())
        self._bring_back(process)

    async def _cut_off(self) -> None:
        process = self._somebody()
        if process is None or process.connections is None:
            return
        cluster, bus = self._cluster, process.connections.raw_bus
        if cluster.broker.is_away(bus):
            return
        cluster.chronicle.tell(process.name, "is cut off from the bus")
        cluster.broker.disconnect(bus)
        await asyncio.sleep(self._random.choice((0.5, 5.0, 40.0)) * self._random.random())
        if process.connections is not None and process.connections.raw_bus is bus:
            cluster.chronicle.tell(process.name, "is back on the bus")
            cluster.broker.reconnect(bus)

    async def _freeze(self) -> None:
        """A service is stopped (SIGSTOP), long enough for its Lease to end, and goes on."""
        process = self._somebody()
        if process is None:
            return
        cluster, run = self._cluster, process.runs
        cluster.chronicle.tell(process.name, "is frozen")
        cluster.freeze(process)
        await asyncio.sleep(self._random.choice((1.0, 20.0, 60.0)) * self._random.random())
        if process.runs == run and process.alive:
            cluster.chronicle.tell(process.name, "goes on")
            cluster.thaw(process)

    async def _lose_power(self) -> None:
        cluster = self._cluster
        machine = self._random.choice(list(cluster.machines.values()))
        if not machine.powered:
            return
        process = cluster.processes[f"kubelet-{machine.name}"]
        cluster.chronicle.tell(machine.name, "loses power")
        cluster.kill(process)
        machine.lose_power()
        await asyncio.sleep(self._random.choice((5.0, 30.0, 120.0)) * self._random.random())
        machine.powered = True
        self._bring_back(process)

    async def _take_store_away(self) -> None:
        self._cluster.chronicle.tell("store", "is away")
        self._cluster.store_away(True)
        await asyncio.sleep(self._random.random() * 6)
        self._cluster.chronicle.tell("store", "is back")
        self._cluster.store_away(False)

    async def _crash_containers(self) -> None:
        alive = [each.kubelet for each in self._cluster.processes.values() if each.kubelet is not None]
        for kubelet in alive:
            kubelet.crash_some(self._random)

    async def _fail_workers(self) -> None:
        """The workers of some pods raise for a while."""
        alive = [each.kubelet for each in self._cluster.processes.values() if each.kubelet is not None]
        if not alive:
            return
        kubelet = self._random.choice(alive)
        kubelet.fail_some(self._random)
        await asyncio.sleep(self._random.random() * 20)
        kubelet.failing.clear()

    async def _vanish(self) -> None:
        """Behind a kubelet's back containers are removed, and sandboxes go."""
        machine = self._random.choice(list(self._cluster.machines.values()))
        for container in list(machine.podman.containers_by_id):
            if self._random.random() < VANISHING_SHARE:
                self._cluster.chronicle.tell(machine.name, f"{container} is removed")
                machine.podman.lose(container)
        for uid in machine.addresses.by_uid:
            if self._random.random() < VANISHING_SHARE:
                self._cluster.chronicle.tell(machine.name, f"the sandbox of {uid} vanishes")
                machine.addresses.vanished.add(uid)

    async def _slow_runtime(self) -> None:
        """Podman takes its time, most of all for its lists."""
        podman = self._random.choice(list(self._cluster.machines.values())).podman
        podman.call_seconds, podman.list_seconds = self._random.random() * 3, self._random.random() * 8
        await asyncio.sleep(self._random.random() * 40)
        podman.call_seconds = podman.list_seconds = 0.0

    async def _compact(self) -> None:
        revision = await self._cluster.store.revision()
        self._cluster.chronicle.tell("store", f"is compacted at {revision - 1}")
        with suppress(Compacted):
            await self._cluster.store.compact(revision - 1)

    async def _restore(self) -> None:
        """The store is restored from a snapshot of some seconds ago."""
        cluster = self._cluster
        kept = await cluster.store.revision()
        await asyncio.sleep(self._random.choice((2.0, 10.0, 60.0)) * self._random.random())
        newest = await cluster.store.revision()
        with suppress(Compacted, FutureRevision):  # history is gone, or another restore came first
            cluster.restore_store(kept, newest)
            cluster.chronicle.tell("store", f"goes back from {newest} to {kept}")
            await self._remove_corrupt_objects()

    async def _remove_corrupt_objects(self) -> None:
        """Remove what was corrupt in a snapshot and has been repaired since."""
        store = self._cluster.store
        for item in (await store.page("/kubus/")).items:
            key = parse_store_key(item.key)
            if key is not None and key.name.startswith(CORRUPT_NAME):
                with suppress(Conflict):
                    await MemoryStore.delete(store, item.key, expected=item.revision)

    async def _forget_journal(self) -> None:
        self._cluster.chronicle.tell("journal", "is forgotten")
        self._cluster.forget_journal()

    async def _disturb_everybody(self) -> None:
        """The bus's server restarts: everybody loses what comes in between."""
        cluster = self._cluster
        buses = [each.connections.raw_bus for each in cluster.processes.values() if each.connections is not None]
        here = [bus for bus in buses if not cluster.broker.is_away(bus)]
        cluster.chronicle.tell("bus", "restarts")
        for bus in here:
            cluster.broker.disconnect(bus)
        await asyncio.sleep(self._random.random() * 3)
        still = {id(each.connections.raw_bus) for each in cluster.processes.values() if each.connections is not None}
        for bus in here:
            if id(bus) in still:
                cluster.broker.reconnect(bus)
        cluster.chronicle.tell("bus", "is back")

    async def _set_clock_wrong(self) -> None:
        process = self._somebody()
        if process is not None:
            seconds = self._random.uniform(-3600, 3600)
            self._cluster.chronicle.tell(process.name, f"has its clock set by {seconds:+.0f} s")
            process.clock.jump(seconds)

    async def _corrupt_an_object(self) -> None:
        """Something that is no object of its kind stands in the store for a while."""
        store, random = self._cluster.store, self._random
        key = Key(random.choice(CORRUPTED), "default", f"{CORRUPT_NAME}{random.getrandbits(32):08x}")
        value = random.choice(_corrupt_values(key.name))
        self._cluster.chronicle.tell("store", f"holds {key}, which is corrupt")
        revision = await MemoryStore.create(store, store_key(key), value)
        try:
            await asyncio.sleep(random.choice((1.0, 20.0, 100.0)) * random.random())
        finally:
            with suppress(Conflict):  # a restore took it back
                await MemoryStore.delete(store, store_key(key), expected=revision)

    def _somebody(self) -> Process | None:
        alive = [process for process in self._cluster.processes.values() if process.alive]
        return self._random.choice(alive) if alive else None

    def _bring_back(self, process: Process) -> None:
        machine = self._cluster.machines.get(process.name.removeprefix("kubelet-"))
        if not process.alive and (machine is None or machine.powered):
            self._cluster.start(process)


def _corrupt_values(name: str) -> list[bytes]:
    """Records as a damaged disk or a defective program leaves them."""
    note, metadata = Note("nobody", "", "create", 0), {"name": name, "namespace": "default", "uid": name}
    objects = (
        [],
        {},
        {"metadata": []},
        {"metadata": {**metadata, "labels": 5}, "spec": {}},
        {"metadata": {**metadata, "ownerReferences": ["x"]}, "spec": {}},
        {"metadata": metadata, "spec": "x", "ports": "x", "endpoints": "x", "data": 5},
    )
    return [b"\xc1", pack([9, {}, {}]), *(encode_record(note, obj) for obj in objects)]  # type: ignore[arg-type]  # corrupt
