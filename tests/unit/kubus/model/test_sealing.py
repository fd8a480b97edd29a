"""Sealed records: what is seen of a Secret, and who can open it."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.codec import DecodeError, unpack
from kubus.model.records import Note, decode_record, encode_record
from kubus.model.sealing import Seals, face_of

NOTE = Note("alice", "kubectl", "create", 7, cause=3)
KEY = "/kubus/secrets.core/default/s"
OLD, NEW = b"o" * 32, b"n" * 32
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "s",
        "managedFields": [{"fieldsV1": {"f:data": {"f:password": {}}}}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0", "mine": "kept"},
    },
    "type": "Opaque",
    "data": {"password": "c2VjcmV0"},
}


def seals(*keys: bytes) -> Seals:
    return Seals(keys or (OLD,), os.urandom)


def face(secret: object, made: Seals | None = None) -> dict:
    return unpack(face_of((made or seals()).seal(KEY, encode_record(NOTE, secret)))[1])


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20)))
def test_what_is_sealed_opens_as_it_was(data):
    value = encode_record(NOTE, {"metadata": {"name": "s"}, "data": data})
    assert seals().open(KEY, seals().seal(KEY, value)) == value


def test_the_face_keeps_metadata_and_a_digest_only():
    shown = face(SECRET)
    assert set(shown) == {"apiVersion", "kind", "type", "metadata", "digest"}
    assert shown["metadata"] == {"name": "s", "annotations": {"mine": "kept"}}


def test_nothing_of_the_content_can_be_read_in_the_record():
    value = seals().seal(KEY, encode_record(NOTE, SECRET))
    assert b"c2VjcmV0" not in value
    assert b"password" not in value
    assert Note.from_wire(unpack(face_of(value)[0])) == NOTE


def test_the_digest_changes_with_the_data_and_the_key_only():
    def digest(made: Seals, **fields: object) -> str:
        return face({"metadata": {}, **fields}, made)["digest"]

    one = seals(OLD)
    assert digest(one, data={"a": "1", "b": "2"}) == digest(one, data={"b": "2", "a": "1"}, type="Opaque")
    assert digest(one, data={"a": "1"}) != digest(one, data={"a": "2"})
    assert digest(one, data={"a": "1"}) != digest(one, data={"b": "1"})
    assert digest(one, data={"a": "1"}) != digest(seals(NEW), data={"a": "1"})


def test_an_older_key_still_opens_and_the_newest_seals():
    old = seals(OLD).seal(KEY, encode_record(NOTE, SECRET))
    both = seals(NEW, OLD)
    assert decode_record(both.open(KEY, old)).object == SECRET
    assert not both.is_newest(old)
    assert both.is_newest(both.seal(KEY, both.open(KEY, old)))


@pytest.mark.parametrize(
    ("made", "key", "change", "words"),
    [
        (seals(NEW), KEY, lambda value: value, "a key that is not there"),
        (seals(OLD), KEY + "2", lambda value: value, "not what was sealed under this key"),
        (seals(OLD), KEY, lambda value: value.replace(b"kept", b"fake"), "not what was sealed under this key"),
        (seals(OLD), KEY, lambda value: value[:-1] + bytes([value[-1] ^ 1]), "not what was sealed under this key"),
        (seals(OLD), KEY, lambda value: value[:-9], "not a sealed record"),
        (seals(OLD), KEY, lambda _: encode_record(NOTE, SECRET), "not a sealed record"),
    ],
    ids=["another key", "another place", "another face", "another content", "cut off", "not sealed"],
)
def test_what_was_not_sealed_so_is_refused(made, key, change, words):
    value = change(seals(OLD).seal(KEY, encode_record(NOTE, SECRET)))
    with pytest.raises(DecodeError, match=words):
        made.open(key, value)


@pytest.mark.parametrize("keys", [(), (b"short",)])
def test_keys_have_to_be_keys(keys):
    with pytest.raises(ValueError, match="32 random bytes"):
        Seals(keys, os.urandom)
