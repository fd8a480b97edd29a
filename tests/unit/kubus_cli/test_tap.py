"""From where on a tap shows events."""

from datetime import UTC, datetime, timedelta

import pytest

from kubus.bus import Message
from kubus.bus.wire import encode_event
from kubus.model.records import Note
from kubus_cli.failures import Failure, Misused
from kubus_cli.tap import Since, parse_since, seen_of
from kubus_cli.tap_lines import Memory

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("", Since()),
        ("5m", Since(moment=NOW - timedelta(minutes=5))),
        ("1h30m", Since(moment=NOW - timedelta(minutes=90))),
        ("1043", Since(revision=1043)),
        ("0", Since(revision=1)),
    ],
)
def test_since_is_a_duration_or_a_revision(text, since):
    assert parse_since(text, NOW) == since


@pytest.mark.parametrize("text", ["yesterday", "5", "m", "5x", "-5m"])
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
