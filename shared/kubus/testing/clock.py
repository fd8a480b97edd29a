"""Simulated time: an event loop whose clock jumps whenever nobody has anything to do.

    with simulated_loop() as loop:
        loop.run_until_complete(story())

Sleeping for an hour takes no time, and a run is the same every time: callbacks run in the order in which they became
due, and there is no socket, thread or process whose answer could come early or late. Waiting for one of those is
refused by the jump: with nothing due and nothing to wake it the loop reports a deadlock instead of hanging.

A loop can freeze what runs on behalf of an owner (`OWNER`, which tasks hand on to those that they start), as SIGSTOP
does to a process: time passes, and everything that was due runs when it thaws.

`SimulatedClock` is the `Clock` of such a loop. Its wall clock can be set wrong (`jump`), its monotonic one cannot.
"""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWNER: ContextVar[str] = ContextVar("owner", default="")
"""On whose behalf a task runs."""


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


@dataclass(slots=True, eq=False)
class _Call:
    """A callback that is due or will be."""

    context: Context
    callback: Callable[..., Any]
    args: tuple[Any, ...]
    handle: asyncio.Handle | None = None


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time. It starts at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._frozen: dict[str, list[_Call]] = {}
        self._clock_resolution = 1e-9
        numbers = itertools.count(1)
        self.set_task_factory(
            lambda loop, coroutine, **options: _NumberedTask(coroutine, next(numbers), loop=loop, **options)
        )

    def time(self) -> float:
        """Simulated seconds."""
        return self._jumping.now

    def call_soon(  # type: ignore[override]  # typeshed's has type variables
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback in this turn of the loop, or when its owner thaws."""
        context = context if context is not None else copy_context()
        call = _Call(context, callback, args)
        call.handle = super().call_soon(self._run_or_keep, call, context=context)
        return call.handle

    def call_at(  # type: ignore[override]  # typeshed's has type variables
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback at a time, or when its owner thaws."""
        context = context if context is not None else copy_context()
        call = _Call(context, callback, args)
        call.handle = handle = super().call_at(when, self._run_or_keep, call, context=context)
        return handle

    def freeze(self, owner: str) -> None:
        """Run nothing on behalf of an owner from now on."""
        self._frozen.setdefault(owner, [])

    def thaw(self, owner: str) -> None:
        """Run on behalf of an owner again, first what was due meanwhile."""
        for call in self._frozen.pop(owner, ()):
            super().call_soon(self._run_kept, call, context=call.context)

    def _run_or_keep(self, call: _Call) -> None:
        kept = self._frozen.get(call.context.get(OWNER, "")) if self._frozen else None
        if kept is None:
            call.callback(*call.args)
        else:
            kept.append(call)

    def _run_kept(self, call: _Call) -> None:
        if call.handle is None or not call.handle.cancelled():  # by another one that was kept, and ran before
            self._run_or_keep(call)


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
