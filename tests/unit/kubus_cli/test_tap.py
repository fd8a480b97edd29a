"""From where on a tap shows events."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kubus.bus import Message
from kubus.bus.journal import NatsJournal
from kubus.bus.nats import connect
from kubus.bus.wire import encode_event
from kubus.model.records import Note
from kubus.service import Settings
from kubus_cli import tap as tap_module
from kubus_cli.failures import Failure, Misused, NotRunning
from kubus_cli.tap import Since, parse_since, seen_of, tap
from kubus_cli.tap_lines import Memory

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("", Since()),
        ("5m", Since(moment=NOW - timedelta(minutes=5))),
        ("1h30m", Since(moment=NOW - timedelta(minutes=90))),
        ("1043", Since(revision=1043)),
        ("r1043", Since(revision=1043)),
        ("0", Since(revision=1)),
    ],
)
def test_since_is_a_duration_or_a_revision(text, since):
    assert parse_since(text, NOW) == since


@pytest.mark.parametrize("text", ["yesterday", "5", "m", "5x", "-5m", "r", "rr5", "r5m", "99999999h", "9" * 40 + "m"])
def test_anything_else_is_refused(text):
    if text.isdecimal():
        assert parse_since(text, NOW).revision == 5
    else:
        with pytest.raises(Misused):
            parse_since(text, NOW)


def message(revision, seconds):
    note = Note("u", "m", "update", int((NOW.timestamp() + seconds) * 1e6))
    return Message("kubus.ev.pods.core.default.web", encode_event("added", revision, 0, note.to_wire(), {}))


def test_events_from_then_on_are_included():
    seen = seen_of(Memory(), message(10, 0))
    assert Since(revision=10).includes(seen) and not Since(revision=11).includes(seen)
    assert Since(moment=NOW).includes(seen) and not Since(moment=NOW + timedelta(seconds=1)).includes(seen)


def test_what_is_no_event_is_said_so():
    with pytest.raises(Misused):
        seen_of(Memory(), Message("kubus.beat.pods.core", b""))
    with pytest.raises(Failure):
        seen_of(Memory(), Message("kubus.ev.pods.core.default.web", b"nonsense"))


async def test_a_tap_ends_with_a_sentence_when_the_bus_goes_down(nats, monkeypatch):
    monkeypatch.setattr(tap_module, "LOST_SECONDS_MAX", 0.5)
    bus = await connect(nats.url, identity="kubernetes-admin")
    await NatsJournal(bus).open()
    await bus.aclose()
    settings = Settings(identity="kubernetes-admin", nats_url=nats.url)
    with pytest.raises(NotRunning, match="the cluster has gone down") as caught:
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            tapping = tasks.create_task(
                ended(tap(settings, "kubus.ev.>", Since(), lambda _: True, heartbeats=True, look="kubus status"))
            )
            await asyncio.sleep(0.3)
            await nats.kill()
        raise tapping.result()
    assert caught.value.exit_code == 4


async def ended(tapping):
    try:
        await tapping
    except Failure as failure:
        return failure
    return None


async def test_a_tap_goes_on_after_a_restart_of_the_bus(nats):
    bus = await connect(nats.url, identity="kubernetes-admin")
    journal = NatsJournal(bus)
    await journal.open()
    settings = Settings(identity="kubernetes-admin", nats_url=nats.url)
    heard = []

    def show(seen):
        heard.append(seen.event.revision)
        return False

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tapping = tasks.create_task(tap(settings, "kubus.ev.>", Since(), show, heartbeats=True, look="kubus status"))
        await asyncio.sleep(0.3)
        await nats.restart()
        while not bus.connected:
            await asyncio.sleep(0.01)
        await journal.open()
        await journal.publish("kubus.ev.pods.core.default.web", message(1, 0).data, 1)
        await journal.confirm()
        await tapping
    assert heard == [1]
    await bus.aclose()
