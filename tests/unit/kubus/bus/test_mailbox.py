"""Mailboxes: what waits for a reader, and what becomes of it when the reader is slow."""

from __future__ import annotations

import asyncio

import pytest

from kubus.bus import Disconnected, Disturbed, Message
from kubus.bus.mailbox import Mailbox


class Owner:
    """Notes who has left."""

    def __init__(self) -> None:
        self.left: list[Mailbox] = []

    async def leave(self, mailbox: Mailbox) -> None:
        self.left.append(mailbox)


def message(number: int, size: int = 1) -> Message:
    return Message(f"n.{number}", b"x" * size)


async def test_a_batch_is_everything_that_waits_in_order() -> None:
    mailbox = Mailbox(Owner().leave)
    for number in range(3):
        mailbox.put(message(number))
    assert await mailbox.next_batch() == [message(0), message(1), message(2)]


async def test_an_empty_mailbox_is_waited_at() -> None:
    mailbox = Mailbox(Owner().leave)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(mailbox.next_batch())
        await asyncio.sleep(0)
        assert not reading.done()
        mailbox.put(message(1))
    assert reading.result() == [message(1)]


async def test_a_cancelled_reader_leaves_the_mailbox_usable() -> None:
    mailbox = Mailbox(Owner().leave)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await mailbox.next_batch()
    mailbox.put(message(1))
    assert await mailbox.next_batch() == [message(1)]


async def test_two_readers_are_a_mistake() -> None:
    mailbox = Mailbox(Owner().leave)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(mailbox.next_batch())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="one reader"):
            await mailbox.next_batch()
        mailbox.put(message(1))


@pytest.mark.parametrize(("count", "size"), [(11, 1), (3, 50)])
async def test_a_full_mailbox_is_emptied_and_says_so(count: int, size: int) -> None:
    mailbox = Mailbox(Owner().leave, messages_max=10, bytes_max=120)
    for number in range(count):
        mailbox.put(message(number, size))
    [first] = await mailbox.next_batch()
    assert isinstance(first, Disturbed)
    mailbox.put(message(99))
    assert await mailbox.next_batch() == [message(99)]


async def test_a_disturbance_has_its_place_among_the_messages() -> None:
    mailbox = Mailbox(Owner().leave)
    mailbox.put(message(1))
    mailbox.disturb("reconnected")
    mailbox.put(message(2))
    assert await mailbox.next_batch() == [message(1), Disturbed("reconnected"), message(2)]


async def test_closing_ends_the_reader_once_it_has_what_came_before() -> None:
    owner = Owner()
    mailbox = Mailbox(owner.leave)
    mailbox.put(message(1))
    await mailbox.aclose()
    await mailbox.aclose()
    assert owner.left == [mailbox]
    assert [item async for item in mailbox] == [message(1)]
    with pytest.raises(Disconnected):
        await mailbox.next_batch()


async def test_a_reader_that_is_always_behind_lets_others_run() -> None:
    mailbox = Mailbox(Owner().leave)
    others = 0

    async def other() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(other())
        for number in range(20):
            mailbox.put(message(number))
            await mailbox.next_batch()
        running.cancel()
    assert others >= 20
