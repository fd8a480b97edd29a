"""Faults happen as often as asked, to news only, and the same for the same seed."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from kubus.bus import Disturbed, Message
from kubus.bus.memory import MemoryBus
from kubus.testing.clock import simulate
from kubus.testing.faulty_bus import Faults, FaultyBus, is_news

NEWS = "kubus.ev.pods.core.default.web"


async def heard(faults: Faults, seed: int = 1, count: int = 200, subject: str = NEWS) -> list[str]:
    """What a subscriber gets of numbered messages, with two quiet ones at the end."""
    bus = FaultyBus(MemoryBus(), faults, Random(seed))
    subscription = await bus.subscribe(subject)
    got: list[str] = []
    for number in range(count):
        await bus.publish(subject, str(number).encode())
    for last in ("", "end"):
        got += await _batch(subscription)
        faults.stop()
        await bus.publish(subject, last.encode())
    return got + await _batch(subscription)


async def _batch(subscription: object) -> list[str]:
    try:
        async with asyncio.timeout(1):
            batch = await subscription.next_batch()
    except TimeoutError:
        return []
    return ["disturbed" if isinstance(item, Disturbed) else item.data.decode() for item in batch]


NUMBERS = [str(number) for number in range(200)]


def test_without_faults_everything_comes_once_and_in_order() -> None:
    assert simulate(heard(Faults())) == [*NUMBERS, "", "end"]


def test_losing() -> None:
    got = simulate(heard(Faults(lose=0.3)))
    assert got == [each for each in [*NUMBERS, "", "end"] if each in got]
    assert 100 < len(got) < 180


def test_repeating() -> None:
    got = simulate(heard(Faults(repeat=0.3)))
    assert list(dict.fromkeys(got)) == [*NUMBERS, "", "end"]
    assert 230 < len(got) < 290


def test_delaying_changes_the_order_and_loses_nothing() -> None:
    got = simulate(heard(Faults(delay=0.3)))
    assert got != [*NUMBERS, "", "end"]
    assert sorted(got) == sorted([*NUMBERS, "", "end"])


def test_disturbing_says_so() -> None:
    got = simulate(heard(Faults(disturb=0.02)))
    assert got[0] == "disturbed"
    assert got[-1] == "end"


def test_one_seed_is_one_story() -> None:
    def play(seed: int) -> list[str]:
        return simulate(heard(Faults(lose=0.1, repeat=0.1, delay=0.1), seed))

    assert play(7) == play(7)
    assert play(7) != play(8)


@pytest.mark.parametrize(
    ("subject", "news"),
    [
        (NEWS, True),
        ("kubus.node.n1.ev.pods.core.default.web", True),
        ("kubus.beat.pods.core", True),
        ("kubus.api.me.get.pods.core", False),
        ("kubus.node.n1.call", False),
    ],
)
def test_only_news_suffers(subject: str, news: bool) -> None:
    assert is_news(subject) is news


async def test_everything_else_goes_through() -> None:
    bus = FaultyBus(MemoryBus(), Faults(lose=1.0), Random(1))

    async def answer(message: Message) -> bytes:
        return message.data

    await bus.serve("ask", answer)
    assert await bus.request("ask", b"hello") == b"hello"
    plain = await bus.subscribe("plain")
    await bus.publish("plain", b"x")
    await bus.flush()
    assert await plain.next_batch() == [Message("plain", b"x")]
    lossy = await bus.subscribe(NEWS)
    await lossy.aclose()
    assert [item async for item in lossy] == []
    await bus.aclose()
