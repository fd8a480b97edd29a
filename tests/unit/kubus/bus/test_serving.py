"""Answering requests from a mailbox; the rest is in the conformance suite."""

from __future__ import annotations

import asyncio

import pytest

from kubus.bus import Disconnected, Message
from kubus.bus.mailbox import Mailbox
from kubus.bus.serving import serve_mailbox


async def leave(_: Mailbox) -> None:
    pass


async def test_requests_are_answered_where_they_asked_and_news_is_not() -> None:
    mailbox, answers = Mailbox(leave), []

    async def handle(message: Message) -> bytes:
        return message.data.upper()

    async def answer(subject: str, data: bytes) -> None:
        answers.append((subject, data))

    mailbox.put(Message("ask", b"a", "inbox.1"))
    mailbox.put(Message("ask", b"nobody waits"))
    mailbox.disturb("which also happens")
    mailbox.put(Message("ask", b"b", "inbox.2"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_mailbox(mailbox, handle, answer, 4))
        await asyncio.sleep(0.01)
        await mailbox.aclose()
    assert answers == [("inbox.1", b"A"), ("inbox.2", b"B")]


async def test_an_answer_that_cannot_be_sent_ends_nothing() -> None:
    mailbox, handled = Mailbox(leave), []

    async def handle(message: Message) -> bytes:
        handled.append(message.data)
        return b""

    async def answer(subject: str, data: bytes) -> None:
        raise Disconnected("away")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_mailbox(mailbox, handle, answer, 1))
        for data in (b"a", b"b"):
            mailbox.put(Message("ask", data, "inbox"))
            await asyncio.sleep(0.01)
        await mailbox.aclose()
    assert handled == [b"a", b"b"]


async def test_closing_lets_go_of_what_is_still_being_handled() -> None:
    mailbox = Mailbox(leave)
    ended = asyncio.Event()

    async def handle(_: Message) -> bytes:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return b""

    async def answer(subject: str, data: bytes) -> None:
        pytest.fail("nothing was to be answered")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_mailbox(mailbox, handle, answer, 1))
        mailbox.put(Message("ask", b"", "inbox"))
        await asyncio.sleep(0.01)
        await mailbox.aclose()
    assert ended.is_set()
