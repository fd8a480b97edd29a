"""Simulated time: an event loop whose clock jumps whenever nobody has anything to do.

    with simulated_loop() as loop:
        loop.run_until_complete(story())

Sleeping for an hour takes no time, and a run is the same every time: callbacks run in the order in which they became
due, and there is no socket, thread or process whose answer could come early or late. Waiting for one of those is
refused by the jump: with nothing due and nothing to wake it the loop reports a deadlock instead of hanging.

`SimulatedClock` is the `Clock` of such a loop. Its wall clock can be set wrong (`jump`), its monotonic one cannot.
"""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Deadlock(Exception):
    """Everything waits for something that will never come."""


class _JumpingSelector(selectors.BaseSelector):
    """Waits by moving the loop's clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing is due and nothing can happen any more")
        self.now += max(timeout, 0.0)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class _NumberedTask(asyncio.Task[Any]):
    """A task that hashes to its number: sets of tasks, which are everywhere in asyncio, are run through in order."""

    def __init__(self, coroutine: Any, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self._number


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time. It starts at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9
        numbers = itertools.count(1)
        self.set_task_factory(
            lambda loop, coroutine, **options: _NumberedTask(coroutine, next(numbers), loop=loop, **options)
        )

    def time(self) -> float:
        """Simulated seconds."""
        return self._jumping.now


class SimulatedClock:
    """A `kubus.model.times.Clock` in the running loop's time."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start

    def now(self) -> datetime:
        """The wall clock: the start, what has passed, and the jumps."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    def jump(self, seconds: float) -> None:
        """Set the wall clock wrong by so much."""
        self._start += timedelta(seconds=seconds)


@contextmanager
def simulated_loop() -> Iterator[SimulatedLoop]:
    """A loop in simulated time; what still runs at the end is cancelled."""
    loop = SimulatedLoop()
    try:
        yield loop
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def simulate(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in simulated time; its result."""
    with simulated_loop() as loop:
        return loop.run_until_complete(story)
