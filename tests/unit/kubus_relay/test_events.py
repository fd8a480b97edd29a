"""From changes of the store to happenings."""

from __future__ import annotations

import pytest

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


def test_a_value_that_is_no_record_is_passed_over_and_named():
    broken = StoreChange(store_key(WEB), b"\xc1", 4, 3, None)
    found, unreadable = happenings([broken, change(POD, 5, {"a": 1})])
    assert [happening.revision for happening in found] == [5]
    assert unreadable == [store_key(WEB)]


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


def test_a_pod_with_a_spec_of_the_wrong_shape_is_passed_over():
    found, unreadable = happenings([change(POD, 5, {"spec": {"nodeName": 3}})])
    assert (found, unreadable) == ([], [store_key(POD)])


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


def test_a_secret_that_is_not_sealed_is_passed_over():
    key = Key("secrets.core", "default", "s")
    found, unreadable = happenings([change(key, 3, {"metadata": {"name": "s"}, "data": {"password": "c2VjcmV0"}})])
    assert (found, unreadable) == ([], [store_key(key)])
