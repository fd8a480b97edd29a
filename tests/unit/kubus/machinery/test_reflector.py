"""The copy equals the collection, whatever the bus does to the events."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.bus.wire import Change, RawEvent, decode_event_raw, encode_event
from kubus.machinery.reflector import Changed, ListAgain, Reflector
from kubus.model.objects import Key, Object, name_of, uid_of
from kubus.testing.builders import config_map

MAPS = "configmaps.core"


def key(name: str) -> Key:
    return Key(MAPS, "default", name)


def obj(name: str, revision: int = 0, uid: str = "", value: str = "") -> Object:
    built = config_map(name, data={"value": value}, uid=uid or f"uid-{name}")
    if revision:
        built["metadata"]["resourceVersion"] = str(revision)
    return built


def event(change: Change, revision: int, previous: int, name: str = "a", uid: str = "") -> RawEvent:
    return decode_event_raw(encode_event(change, revision, previous, {}, obj(name, uid=uid, value=str(revision))))


def told(effects: list[Changed | ListAgain]) -> list[tuple[str, str, int] | str]:
    """Effects as short as they can be compared."""
    return [
        "list again" if isinstance(effect, ListAgain) else (effect.change, effect.key.name, effect.revision)
        for effect in effects
    ]


@pytest.fixture
def reflector() -> Reflector:
    """One that has listed `a` at revision 10."""
    reflector = Reflector(MAPS)
    assert told(reflector.listed([obj("a", 7)], 10)) == [("added", "a", 7)]
    return reflector


def test_events_change_the_copy_in_order(reflector: Reflector) -> None:
    assert told(reflector.received(key("b"), event("added", 12, 7, "b"))) == [("added", "b", 12)]
    assert told(reflector.received(key("a"), event("modified", 15, 12))) == [("modified", "a", 15)]
    assert told(reflector.received(key("a"), event("deleted", 16, 15))) == [("deleted", "a", 16)]
    assert {each.name for each in reflector.objects} == {"b"}
    assert reflector.revision == 16


def test_managed_fields_are_not_kept(reflector: Reflector) -> None:
    managed = obj("b", 8, value="8")
    managed["metadata"]["managedFields"] = [{"manager": "m"}]
    reflector.received(key("b"), decode_event_raw(encode_event("added", 12, 7, {}, managed)))
    assert "managedFields" not in reflector.objects[key("b")]["metadata"]
    other = Reflector(MAPS)
    other.listed([managed], 12)
    assert "managedFields" not in other.objects[key("b")]["metadata"]
    assert managed["metadata"]["managedFields"]


def test_objects_carry_their_revision_and_changes_what_was_before(reflector: Reflector) -> None:
    [changed] = reflector.received(key("a"), event("modified", 12, 7))
    assert isinstance(changed, Changed)
    assert changed.object["metadata"]["resourceVersion"] == "12"
    assert changed.before == obj("a", 7)


@pytest.mark.parametrize("revision", [3, 7, 10])
def test_what_is_not_newer_is_dropped(reflector: Reflector, revision: int) -> None:
    assert reflector.received(key("a"), event("modified", revision, 2)) == []


def test_a_repeated_event_is_dropped(reflector: Reflector) -> None:
    reflector.received(key("a"), event("modified", 12, 7))
    assert reflector.received(key("a"), event("modified", 12, 7)) == []


def test_deletes_of_one_revision_are_all_applied_and_repeated_ones_change_nothing(reflector: Reflector) -> None:
    """The keys of an expired lease are deleted in one revision of the store."""
    reflector.received(key("b"), event("added", 12, 7, "b"))
    assert told(reflector.received(key("a"), event("deleted", 15, 12, "a"))) == [("deleted", "a", 15)]
    assert told(reflector.received(key("b"), event("deleted", 15, 15, "b"))) == [("deleted", "b", 15)]
    assert reflector.received(key("b"), event("deleted", 15, 15, "b")) == []
    assert reflector.objects == {}


def test_of_several_deletes_of_one_revision_the_loss_of_the_first_is_a_gap(reflector: Reflector) -> None:
    reflector.received(key("b"), event("added", 12, 7, "b"))
    assert told(reflector.received(key("b"), event("deleted", 15, 15, "b"))) == ["list again"]


def test_a_gap_asks_for_a_listing_once_and_keeps_what_comes(reflector: Reflector) -> None:
    assert told(reflector.received(key("b"), event("added", 14, 12, "b"))) == ["list again"]
    assert reflector.received(key("c"), event("added", 15, 14, "c")) == []
    assert set(reflector.objects) == {key("a")}
    effects = reflector.listed([obj("a", 12), obj("b", 14)], 14)
    assert told(effects) == [("modified", "a", 12), ("added", "b", 14), ("added", "c", 15)]


def test_a_relay_that_does_not_know_what_came_before_asks_for_a_listing(reflector: Reflector) -> None:
    assert told(reflector.received(key("b"), event("added", 14, 0, "b"))) == ["list again"]


def test_events_kept_out_of_order_are_put_in_order(reflector: Reflector) -> None:
    reflector.disturbed()
    reflector.received(key("c"), event("added", 15, 14, "c"))
    reflector.received(key("b"), event("added", 14, 7, "b"))
    assert told(reflector.listed([obj("a", 7)], 13)) == [("added", "b", 14), ("added", "c", 15)]


def test_a_gap_in_what_was_kept_asks_again(reflector: Reflector) -> None:
    reflector.disturbed()
    reflector.received(key("b"), event("added", 15, 14, "b"))
    assert told(reflector.listed([obj("a", 7)], 13)) == ["list again"]
    assert told(reflector.listed([obj("a", 7), obj("b", 15)], 15)) == [("added", "b", 15)]


def test_a_listing_tells_what_was_deleted_meanwhile(reflector: Reflector) -> None:
    reflector.disturbed()
    assert told(reflector.listed([obj("b", 12)], 13)) == [("deleted", "a", 7), ("added", "b", 12)]


def test_another_object_of_the_same_name_is_a_delete_and_an_add(reflector: Reflector) -> None:
    reflector.disturbed()
    effects = reflector.listed([obj("a", 12, uid="another")], 13)
    assert told(effects) == [("deleted", "a", 7), ("added", "a", 12)]


def test_a_listing_older_than_the_copy_is_refused(reflector: Reflector) -> None:
    reflector.received(key("a"), event("modified", 12, 7))
    reflector.disturbed()
    assert told(reflector.listed([obj("a", 7)], 11)) == ["list again"]
    assert reflector.objects[key("a")]["data"] == {"value": "12"}


def test_a_disturbance_during_a_listing_asks_for_another(reflector: Reflector) -> None:
    reflector.disturbed()
    assert reflector.disturbed() == []
    assert told(reflector.listed([obj("a", 7)], 13)) == ["list again"]


def test_the_first_beat_ahead_is_a_suspicion_and_the_second_proves_the_loss(reflector: Reflector) -> None:
    assert reflector.beat(10) == []
    assert reflector.beat(12) == []
    assert told(reflector.beat(12)) == ["list again"]


def test_a_beat_that_overtook_its_event_does_no_harm(reflector: Reflector) -> None:
    assert reflector.beat(12) == []
    reflector.received(key("a"), event("modified", 12, 7))
    assert reflector.beat(13) == []
    reflector.received(key("a"), event("modified", 13, 12))
    assert reflector.beat(13) == []


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 60), trouble=st.sampled_from([0.0, 0.1, 0.4]))
def test_whatever_is_lost_repeated_or_late_the_copy_ends_as_the_truth(seed: int, changes: int, trouble: float) -> None:
    """Plays a collection against a reflector over a bus that loses, repeats and delays; then beats come."""
    random = Random(seed)
    truth: dict[Key, Object] = {}
    reflector, mirror = Reflector(MAPS), {}
    late: list[tuple[Key, RawEvent]] = []
    revision = last = 1
    wanted = True

    def act(effects: list[Changed | ListAgain]) -> None:
        nonlocal wanted
        for effect in effects:
            if isinstance(effect, ListAgain):
                wanted = True
                continue
            assert (effect.change == "added") == (effect.key not in mirror), "added is what was not there"
            if effect.change == "deleted":
                del mirror[effect.key]
            else:
                mirror[effect.key] = effect.object

    def list_now() -> None:
        nonlocal wanted
        wanted = False
        act(reflector.listed([dict(each) for each in truth.values()], revision))

    for _ in range(changes):
        revision += random.randint(1, 3)
        name = random.choice("abc")
        gone = key(name) in truth and random.random() < 0.3
        change: Change = "deleted" if gone else "modified" if key(name) in truth else "added"
        uid = uid_of(truth[key(name)]) if key(name) in truth else f"uid-{revision}"
        sent = (key(name), event(change, revision, last, name, uid))
        last = revision
        if gone:
            del truth[key(name)]
        else:
            truth[key(name)] = obj(name, revision, uid, str(revision))
        fate = random.random()
        if fate < trouble / 2:
            pass
        elif fate < trouble:
            late.append(sent)
        else:
            for _ in range(2 if random.random() < trouble else 1):
                act(reflector.received(*sent))
        while late and random.random() < 0.3:
            act(reflector.received(*late.pop(random.randrange(len(late)))))
        if random.random() < trouble / 4:
            act(reflector.disturbed())
        if wanted and random.random() < 0.5:
            list_now()
    for _ in range(3):
        act(reflector.beat(last))
        if wanted:
            list_now()
    assert reflector.objects == mirror == truth, "the copy, what listeners were told, and the truth are one"
    assert {name_of(each) for each in mirror.values()} == {each.name for each in truth}


def test_another_epoch_is_listed_anew_though_its_revisions_are_lower(reflector: Reflector) -> None:
    assert told(reflector.beat(10, "one")) == []
    assert told(reflector.beat(4, "two")) == ["list again"]
    assert told(reflector.received(key("b"), event("added", 5, 4, "b"))) == []
    assert told(reflector.listed([obj("a", 3)], 4)) == [("modified", "a", 3), ("added", "b", 5)]
    assert reflector.revision == 5
    assert told(reflector.listed([obj("a", 2)], 2)) == ["list again"], "within an epoch nothing goes back"


def test_a_listing_that_was_under_way_when_another_epoch_began_is_not_the_last() -> None:
    reflector = Reflector(MAPS)
    assert told(reflector.beat(10, "one")) == []
    assert told(reflector.beat(4, "two")) == []
    assert told(reflector.listed([obj("a", 7)], 10)) == [("added", "a", 7), "list again"]
    assert told(reflector.listed([obj("a", 3)], 4)) == [("modified", "a", 3)]
    assert reflector.revision == 4


def test_what_has_the_same_revision_in_another_epoch_is_told_if_it_differs(reflector: Reflector) -> None:
    reflector.beat(10, "one")
    reflector.beat(8, "two")
    assert told(reflector.listed([obj("a", 7, value="other")], 8)) == [("modified", "a", 7)]
