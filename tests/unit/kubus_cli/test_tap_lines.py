"""How a tap shows events."""

import json
from datetime import UTC

import pytest

from kubus.bus.wire import Event
from kubus.model.objects import Key
from kubus.model.records import Note
from kubus_cli.tap_lines import Memory, as_json, is_heartbeat, line

KEY = Key("deployments.apps", "default", "web")
NOON = 1_769_860_800_123_000  # 2026-01-31T12:00:00.123Z


def event(change="modified", revision=1043, replicas=3, cause=None, by="kubernetes-admin", manager="kubectl"):
    note = Note(by=by, manager=manager, verb="patch", at=NOON, cause=cause)
    return Event(change, revision, 0, note, {"spec": {"replicas": replicas}})


def shown(seen, **options):
    return line(seen, UTC, **{"width": 200, "coloured": False, **options})


def test_a_line_says_when_what_how_and_who():
    memory = Memory()
    memory.see(KEY, event("added", replicas=1))
    assert shown(memory.see(KEY, event())) == (
        "12:00:00.123  r1043  modified  deployments.apps default/web  spec.replicas 1→3  by kubernetes-admin (kubectl)"
    )


def test_a_line_names_its_cause():
    assert shown(Memory().see(KEY, event(cause=1021))).endswith("by kubernetes-admin (kubectl)  ←1021")


def test_a_long_description_is_shortened_so_that_actor_and_cause_fit():
    memory = Memory()
    memory.see(KEY, event("added"))
    told = memory.see(KEY, event(replicas="x" * 300, cause=7))
    assert len(shown(told, width=140)) <= 140
    assert shown(told, width=140).endswith("←7")


def test_an_object_of_a_controller_says_whose_it_is():
    pod = {"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "controller": True}]}}
    assert "of ReplicaSet/web-1" in shown(Memory().see(KEY, event("added")._replace(object=pod)))


def test_a_kubernetes_event_says_its_message_on_one_line():
    obj = {"kind": "Event", "reason": "Pulled", "message": "image\nis there"}
    assert "Pulled: image is there" in shown(Memory().see(KEY, event("added")._replace(object=obj)))


def test_without_the_state_before_no_changes_are_invented():
    assert Memory().see(KEY, event()).changes == ()


def test_a_deleted_object_is_forgotten():
    memory = Memory()
    memory.see(KEY, event("added", replicas=1))
    memory.see(KEY, event("deleted"))
    assert memory.see(KEY, event()).changes == ()


def test_memory_is_bounded():
    memory = Memory(remembered_max=2)
    for name in "abc":
        memory.see(KEY._replace(name=name), event("added"))
    assert memory.see(KEY._replace(name="a"), event(replicas=9)).changes == ()
    assert memory.see(KEY._replace(name="c"), event(replicas=9)).changes != ()


def test_colours_are_for_terminals():
    assert "\033[33m" in shown(Memory().see(KEY, event()), coloured=True)
    assert "\033" not in shown(Memory().see(KEY, event()))


def test_json_holds_everything():
    document = json.loads(as_json(Memory().see(KEY, event(cause=1))))
    assert document["resource"] == "deployments.apps" and document["note"]["cause"] == 1
    assert document["object"] == {"spec": {"replicas": 3}}


@pytest.mark.parametrize(
    ("collection", "change", "quiet"),
    [
        ("leases.coordination.k8s.io", "modified", True),
        ("leases.coordination.k8s.io", "deleted", False),
        ("pods.core", "modified", False),
    ],
)
def test_only_renewals_of_leases_are_heartbeats(collection, change, quiet):
    assert is_heartbeat(Memory().see(Key(collection, "a", "b"), event(change))) is quiet
