"""From changes of the store to happenings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.bus.wire import decode_event, encode_event
from kubus.model.codec import pack, unpack
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, note_key, store_key
from kubus.model.sealing import Seals
from kubus.store import StoreChange, Stored
from kubus_relay.events import happenings

NOTE = Note("alice", "kubectl", "patch", 7)
WEB = Key("deployments.apps", "default", "web")
POD = Key("pods.core", "default", "web-0")


def change(key: Key, revision: int, obj: dict | None, before: dict | None = None, created: int = 3) -> StoreChange:
    """A change of a key that was created at revision 3."""
    value = None if obj is None else encode_record(NOTE, obj)
    stood = None if before is None else Stored(store_key(key), encode_record(NOTE, before), revision - 1, created)
    return StoreChange(store_key(key), value, revision, 0 if obj is None else created, stood)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (change(WEB, 3, {"a": 1}), "added"),
        (change(WEB, 4, {"a": 2}, {"a": 1}), "modified"),
        (change(WEB, 5, None, {"a": 2}), "deleted"),
    ],
)
def test_a_change_is_added_modified_or_deleted(given, expected):
    [happening], unreadable = happenings([given])
    assert (happening.key, happening.change, happening.revision) == (WEB, expected, given.revision)
    assert not unreadable


def test_note_and_object_are_the_stored_bytes():
    [happening], _ = happenings([change(WEB, 4, {"a": 2}, {"a": 1})])
    assert bytes(happening.note) == pack(NOTE.to_wire())
    assert bytes(happening.object) == pack({"a": 2})
    assert happening.nodes == ()


def test_a_delete_tells_the_last_state_and_who_deleted():
    note = pack(Note("bob", "kubectl", "delete", 8).to_wire())
    batch = [StoreChange(note_key("uid-1"), note, 9, 9, None), change(WEB, 9, None, {"a": 2})]
    [happening], _ = happenings(batch)
    assert bytes(happening.note) == note
    assert bytes(happening.object) == pack({"a": 2})


def test_the_note_of_one_revision_is_not_taken_for_another():
    note = pack(Note("bob", "kubectl", "delete", 8).to_wire())
    batch = [StoreChange(note_key("uid-1"), note, 8, 8, None), change(WEB, 9, None, {"a": 2})]
    [happening], _ = happenings(batch)
    assert unpack(happening.note)["by"] == ""


def test_a_delete_whose_last_state_is_forgotten_still_names_the_object():
    [happening], _ = happenings([change(WEB, 9, None)])
    assert unpack(happening.object) == {"metadata": {"name": "web", "namespace": "default"}}


@pytest.mark.parametrize("key", ["/kubus/notes/uid-1", "/kubus/allocations/ips/10.96.0.1", "/other/a.b/c/d"])
def test_keys_of_no_object_are_no_happening(key):
    assert happenings([StoreChange(key, b"x", 3, 3, None), StoreChange(key, None, 4, 0, None)]) == ([], [])


BROKEN = b"\xc1"


def broken(key: Key, revision: int, before: bytes | None = None) -> StoreChange:
    """A value that is no record, put under a key."""
    stood = None if before is None else Stored(store_key(key), before, revision - 1, 3)
    return StoreChange(store_key(key), BROKEN, revision, 3, stood)


def test_a_value_that_is_no_record_is_told_without_an_object_and_named():
    found, unreadable = happenings([broken(WEB, 4), change(POD, 5, {"a": 1})])
    assert [(happening.revision, unpack(happening.object)) for happening in found] == [(4, None), (5, {"a": 1})]
    assert unreadable == [store_key(WEB)]


def test_what_replaces_or_deletes_a_broken_value_is_told():
    stood = Stored(store_key(WEB), BROKEN, 4, 3)
    mended = change(WEB, 5, {"a": 1})._replace(before=stood)
    [happening], unreadable = happenings([mended])
    assert (happening.change, unpack(happening.object), unreadable) == ("modified", {"a": 1}, [])
    [happening], unreadable = happenings([StoreChange(store_key(WEB), None, 5, 0, stood)])
    assert (happening.change, unreadable) == ("deleted", [])
    assert unpack(happening.object) == {"metadata": {"name": "web", "namespace": "default"}}


def test_a_broken_pod_concerns_the_node_that_it_was_on_or_else_every_node():
    known = encode_record(NOTE, {"spec": {"nodeName": "n1"}})
    [happening], _ = happenings([broken(POD, 5, known)])
    assert (happening.nodes, happening.everywhere) == (("n1",), False)
    [happening], _ = happenings([broken(POD, 5)])
    assert (happening.nodes, happening.everywhere) == ((), True)
    [happening], _ = happenings([StoreChange(store_key(POD), None, 6, 0, Stored(store_key(POD), BROKEN, 5, 3))])
    assert (happening.nodes, happening.everywhere) == ((), True)


def test_a_note_that_is_no_map_is_left_out():
    record = pack([1, ["not", "a", "note"], {"a": 1}])
    [happening], _ = happenings([StoreChange(store_key(WEB), record, 5, 5, None)])
    assert unpack(happening.note)["by"] == ""


@given(
    st.binary(max_size=40)
    | st.recursive(
        st.none() | st.integers(-9, 9) | st.text(),
        lambda s: (
            st.lists(s, max_size=4) | st.dictionaries(st.sampled_from(["metadata", "spec", "nodeName", "name"]), s)
        ),
        max_leaves=8,
    ).map(lambda value: pack([1, {}, value]))
)
def test_no_value_whatever_it_is_stops_the_news(value: bytes):
    for key in (WEB, POD, Key("secrets.core", "default", "s")):
        batch = [StoreChange(store_key(key), value, 5, 5, None)]
        batch.append(StoreChange(store_key(key), None, 6, 0, Stored(store_key(key), value, 5, 5)))
        found, _ = happenings(batch)
        assert [each.change for each in found] == ["added", "deleted"]
        for each in found:
            decode_event(encode_event(each.change, each.revision, 4, each.note, {}))


@pytest.mark.parametrize(
    ("obj", "before", "nodes"),
    [
        ({"spec": {}}, None, ()),
        ({"metadata": {}}, None, ()),
        ({"spec": {"nodeName": "n1"}}, {"spec": {}}, ("n1",)),
        ({"spec": {"nodeName": "n1"}}, {"spec": {"nodeName": "n1"}}, ("n1",)),
        (None, {"spec": {"nodeName": "n1"}}, ("n1",)),
        ({"spec": {"nodeName": "n2"}}, {"spec": {"nodeName": "n1"}}, ("n1", "n2")),
    ],
)
def test_a_pod_concerns_its_node_and_the_one_it_leaves(obj, before, nodes):
    [happening], _ = happenings([change(POD, 5, obj, before)])
    assert happening.nodes == nodes


def test_a_pod_with_a_spec_of_the_wrong_shape_concerns_every_node():
    [happening], _ = happenings([change(POD, 5, {"spec": {"nodeName": 3}})])
    assert happening.everywhere


def test_an_event_of_a_secret_is_its_face_in_every_change():
    key = Key("secrets.core", "default", "s")
    seals = Seals([b"k" * 32], bytes)

    def sealed(number: int, obj: object, before: object = None) -> StoreChange:
        made = change(key, number, obj, before)
        value = None if made.value is None else seals.seal(made.key, made.value)
        earlier = made.before and made.before._replace(value=seals.seal(made.key, made.before.value))
        return made._replace(value=value, before=earlier)

    secret = {"metadata": {"name": "s"}, "data": {"password": "c2VjcmV0"}}
    found, _ = happenings([sealed(3, secret), sealed(4, secret, secret), sealed(5, None, secret)])
    assert [unpack(each.object)["metadata"] for each in found] == [{"name": "s"}] * 3
    assert all(b"c2VjcmV0" not in bytes(each.object) for each in found)


def test_of_a_secret_that_is_not_sealed_only_the_key_is_told():
    key = Key("secrets.core", "default", "s")
    found, unreadable = happenings([change(key, 3, {"metadata": {"name": "s"}, "data": {"password": "c2VjcmV0"}})])
    assert [unpack(each.object) for each in found] == [None]
    assert unreadable == [store_key(key)]
