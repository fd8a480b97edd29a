"""Messages, both ways."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.bus import wire
from kubus.bus.wire import Event, Request
from kubus.model import codec
from kubus.model.codec import DecodeError, Raw
from kubus.model.records import Note

texts = st.text(max_size=8)
numbers = st.integers(0, 2**63 - 1)
changes = st.sampled_from(["added", "modified", "deleted"])
notes = st.builds(Note, by=texts, manager=texts, verb=texts, at=numbers, cause=st.none() | numbers)
objects = st.dictionaries(texts, texts, max_size=3)
requests = st.builds(
    Request,
    namespace=texts,
    name=texts,
    subresource=texts,
    object=st.none() | objects,
    patch=st.none() | st.lists(objects, max_size=2) | objects,
    patch_type=st.sampled_from(["", "json", "merge", "strategic", "apply"]),
    label_selector=texts,
    field_selector=texts,
    limit=st.integers(0, 500),
    continue_=texts,
    force=st.booleans(),
    dry_run=st.booleans(),
    cause=st.none() | numbers,
    trace=st.none() | texts,
    fence=st.none() | st.tuples(texts, texts, texts, numbers),
)


@given(st.builds(Event, changes, numbers, numbers, notes, objects))
def test_an_event_goes_both_ways(event: Event) -> None:
    data = wire.encode_event(event.change, event.revision, event.previous, event.note.to_wire(), event.object)
    assert wire.decode_event(data) == event
    assert msgpack.unpackb(data) == [
        1,
        event.change,
        event.revision,
        event.previous,
        event.note.to_wire(),
        event.object,
    ]


@given(objects)
def test_an_event_s_object_passes_untouched(obj: dict[str, str]) -> None:
    stored = codec.pack(obj)
    raw = wire.decode_event_raw(wire.encode_event("added", 2, 1, Raw(codec.pack({})), Raw(stored)))
    assert bytes(raw.object) == stored
    assert (raw.change, raw.revision, raw.previous) == ("added", 2, 1)


@given(requests)
def test_a_request_goes_both_ways(request: Request) -> None:
    assert wire.decode_request(wire.encode_request(request)) == request


def test_a_request_says_only_what_differs() -> None:
    assert msgpack.unpackb(wire.encode_request(Request(name="web"))) == [1, {"name": "web"}]


@given(st.integers(100, 599), objects)
def test_a_reply_goes_both_ways(code: int, body: dict[str, str]) -> None:
    assert wire.decode_reply(wire.encode_reply(code, body)) == (code, body)


@given(numbers, st.text())
def test_a_beat_goes_both_ways(revision: int, epoch: str) -> None:
    assert wire.decode_beat(wire.encode_beat(wire.Beat(revision, epoch))) == (revision, epoch)


DECODERS = (wire.decode_event, wire.decode_event_raw, wire.decode_request, wire.decode_reply, wire.decode_beat)


@pytest.mark.parametrize("decode", DECODERS)
@given(data=st.binary(max_size=40))
def test_noise_raises_nothing_but_a_decode_error(decode, data: bytes) -> None:
    try:
        decode(data)
    except DecodeError as error:
        assert str(error)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("value", [[], {}, 1, [2, "added", 1, 0, {}, {}], [2, 1], [2, {}], [2, 200, {}], [[], 1, 1]])
def test_other_messages_and_later_versions_are_refused(decode, value: object) -> None:
    with pytest.raises(DecodeError):
        decode(codec.pack(value))


@pytest.mark.parametrize(
    "options", [{"later": 1}, {"name": 5}, {"limit": "x"}, {"force": "yes"}, {"fence": [1, 2]}, {"object": 5}]
)
def test_a_request_with_a_wrong_field_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(DecodeError):
        wire.decode_request(codec.pack([1, options]))


def test_an_event_with_an_unknown_change_is_refused() -> None:
    with pytest.raises(DecodeError, match="unknown change"):
        wire.decode_event(codec.pack([1, "renamed", 1, 0, {}, {}]))
