"""One seed, one story: a cluster comes up, is used and abused, and comes to rest."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from dataclasses import dataclass
from random import Random

from tests.simulation.chaos import Chaos
from tests.simulation.chronicle import Chronicle, ServiceLogs
from tests.simulation.cluster import Cluster
from tests.simulation.rest import Rest
from tests.simulation.users import Users
from tests.simulation.watcher import Watcher

from kubus.testing.clock import SimulatedClock, simulated_loop

COMING_UP_SECONDS = 15.0
LINES_SHOWN = 150


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a seed."""

    seed: int
    broken: tuple[str, ...]
    lines: tuple[str, ...]
    digest: str
    revisions: int
    rest_seconds: float
    """How long the cluster took to come to rest."""
    seconds: float
    """How long the story was, in its own time."""

    def report(self, lines_shown: int = LINES_SHOWN) -> str:
        """For who has to find out why."""
        shown = self.lines[-lines_shown:]
        again = f"again, with the whole log: python -m tests.simulation --seed {self.seed} --log -"
        return "\n".join([f"seed {self.seed}", *shown, "", *self.broken, "", again])


def tell(seed: int) -> Outcome:
    """The story of a seed, from its beginning to its end."""
    gc.disable()  # a collection in the middle would end abandoned generators at a moment no seed decides
    try:
        with simulated_loop() as loop:
            return loop.run_until_complete(_tell(seed))
    finally:
        gc.enable()
        gc.collect()


async def _tell(seed: int) -> Outcome:
    clock = SimulatedClock()
    chronicle = Chronicle(clock)
    logs, root = ServiceLogs(chronicle), logging.getLogger()
    before = root.level, list(root.handlers)
    root.handlers[:] = [logs]
    root.setLevel(logging.INFO)
    try:
        return await _unfold(seed, clock, chronicle)
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]


async def _unfold(seed: int, clock: SimulatedClock, chronicle: Chronicle) -> Outcome:
    watcher, rest_seconds = None, 0.0
    try:
        watcher, rest_seconds = await _acts(seed, clock, chronicle)
    except Exception as error:
        chronicle.break_promise("a story has an end", "".join(traceback.format_exception(error)))
    return Outcome(
        seed=seed,
        broken=tuple(chronicle.broken),
        lines=tuple(chronicle.lines),
        digest=chronicle.digest,
        revisions=watcher.revision if watcher is not None else 0,
        rest_seconds=rest_seconds,
        seconds=clock.monotonic(),
    )


async def _acts(seed: int, clock: SimulatedClock, chronicle: Chronicle) -> tuple[Watcher, float]:
    """The three acts of a story; who watched, and how long the cluster took to come to rest."""
    random = Random(f"{seed}/story")
    cluster = Cluster(str(seed), chronicle, clock, nodes=random.randint(2, 4), faulty=random.random() < 0.9)
    watcher = Watcher(cluster)
    users = Users(cluster, watcher)
    chaos = Chaos(cluster)
    rest = Rest(cluster, watcher)
    rest_seconds = 0.0
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watcher.run())
        living = tasks.create_task(_live(cluster))
        await asyncio.sleep(COMING_UP_SECONDS)
        await _abuse(users, chaos, random.uniform(60, 180), chronicle)
        if not chronicle.broken:
            chronicle.tell("story", "the faults end")
            chaos.end()
            await users.repair()
            rest_seconds = await rest.come()
        living.cancel()
        watching.cancel()
    return watcher, rest_seconds


async def _live(cluster: Cluster) -> None:
    async with asyncio.TaskGroup() as tasks:
        cluster.run_in(tasks)
        await asyncio.Event().wait()


async def _abuse(users: Users, chaos: Chaos, seconds: float, chronicle: Chronicle) -> None:
    """Let users and chaos do as they like, until the time is over or a promise broken."""
    async with asyncio.TaskGroup() as tasks:
        acting = [tasks.create_task(users.run()), tasks.create_task(chaos.run())]
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until and not chronicle.broken:
            await asyncio.sleep(1.0)
        for task in acting:
            task.cancel()
