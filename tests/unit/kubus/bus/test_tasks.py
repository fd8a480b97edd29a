"""Tasks that end with their owner."""

from __future__ import annotations

import asyncio
import logging

import pytest

from kubus.bus.tasks import Tasks


async def test_closing_ends_what_runs_and_waits_for_it() -> None:
    tasks, ended = Tasks(), []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append("work")

    tasks.start(work())
    await asyncio.sleep(0)
    assert len(tasks) == 1
    await tasks.aclose()
    assert ended == ["work"]
    assert len(tasks) == 0


async def test_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()

    async def fail() -> None:
        raise ValueError("no")

    with caplog.at_level(logging.ERROR):
        tasks.start(fail())
        await asyncio.sleep(0.01)
    assert "a background task failed" in caplog.text


async def test_a_task_may_close_its_own_owner() -> None:
    tasks, ended = Tasks(), asyncio.Event()

    async def work() -> None:
        await tasks.aclose()
        ended.set()

    tasks.start(work())
    async with asyncio.timeout(1):
        await ended.wait()
