"""The store record, read back by itself and by a stranger."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model import codec, records
from kubus.model.codec import DecodeError, Raw
from kubus.model.objects import Key
from kubus.model.records import Note

texts = st.text(max_size=12)
numbers = st.integers(0, 2**63 - 1)
notes = st.builds(
    Note, by=texts, manager=texts, verb=texts, at=numbers, cause=st.none() | numbers, trace=st.none() | texts
)
segments = st.text(alphabet=st.characters(exclude_characters="/", codec="utf-8"), min_size=1, max_size=8)
namespaces = segments.filter(lambda text: text != records.CLUSTER_SCOPED) | st.just("")
keys = st.builds(Key, segments.map(lambda text: f"{text}.core"), namespaces, texts.filter(bool))
NOTE = Note(by="alice", manager="kubectl", verb="create", at=5)


@given(notes, st.dictionaries(texts, texts))
def test_a_record_goes_both_ways(note: Note, obj: dict[str, str]) -> None:
    assert records.decode_record(records.encode_record(note, obj)) == (note, obj)


@given(notes)
def test_a_stranger_reads_a_record(note: Note) -> None:
    version, told, obj = msgpack.unpackb(records.encode_record(note, {"kind": "Pod"}))
    assert (version, obj) == (1, {"kind": "Pod"})
    assert told.keys() - {"cause", "trace"} == {"by", "with", "verb", "at"}
    assert (told["with"], told.get("cause")) == (note.manager, note.cause)


def test_splitting_leaves_the_object_s_bytes_untouched() -> None:
    stored = codec.pack({"kind": "Pod"})
    note, obj = records.split_record(records.encode_record(NOTE, Raw(stored)))
    assert bytes(obj) == stored
    assert Note.from_wire(codec.unpack(note)) == NOTE


def test_a_note_passes_over_what_it_does_not_know() -> None:
    assert Note.from_wire({"by": "a", "later": 1}) == Note("a", "", "", 0)


@pytest.mark.parametrize(
    "value", [b"", b"\xc1", codec.pack({}), codec.pack([1, {}]), codec.pack([2, {}, {}]), codec.pack([1, {}, 5])]
)
def test_what_is_no_record_is_refused(value: bytes) -> None:
    with pytest.raises(DecodeError):
        records.decode_record(value)


def test_a_record_of_a_later_version_is_not_split() -> None:
    with pytest.raises(DecodeError, match="version 2"):
        records.split_record(codec.pack([2, {}, {}]))


@given(st.binary(max_size=40))
def test_noise_raises_nothing_but_a_decode_error(value: bytes) -> None:
    for read in (records.decode_record, records.split_record):
        try:
            read(value)
        except DecodeError as error:
            assert str(error)


@given(keys)
def test_a_store_key_goes_both_ways(key: Key) -> None:
    text = records.store_key(key)
    assert records.parse_store_key(text) == key
    assert text.startswith(records.collection_prefix(key.collection))
    assert text.startswith(records.collection_prefix(key.collection, key.namespace))


@pytest.mark.parametrize(
    "text",
    ["", "/", "/kubus/pods.core/default", "/kubus/pods.core//x", "/other/pods.core/a/b", "x/kubus/pods.core/a/b",
     records.note_key("u"), "/kubus/allocations/ports/80"],
)  # fmt: skip
def test_a_key_of_no_object_names_none(text: str) -> None:
    assert records.parse_store_key(text) is None


def test_one_namespace_s_prefix_is_no_prefix_of_another_s() -> None:
    assert not records.store_key(Key("pods.core", "ab", "x")).startswith(records.collection_prefix("pods.core", "a"))
    assert records.collection_prefix("nodes.core", "") == "/kubus/nodes.core/_/"
