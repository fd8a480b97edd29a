"""Work in threads that cancelled callers wait for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from kubus_kubelet.blocking import run_in_thread


async def test_what_the_work_returns_or_raises_comes_back():
    assert await run_in_thread(lambda number: number + 1, 1) == 2
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(lambda: 1 / 0)


async def test_a_caller_that_is_cancelled_waits_for_the_end_of_the_work():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        go_on.wait(30)
        done.append(True)

    async def call():
        try:
            await run_in_thread(work)
        finally:
            assert done

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(call())
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
    assert task.cancelled()
