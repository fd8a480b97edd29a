"""Finding objects by key, namespace, owner and index."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.machinery.cache import Cache, Caches
from kubus.machinery.reflector import Changed
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object, labels_of, name_of, namespace_of
from kubus.testing.builders import pod, replicaset

PODS = Kind(group="", version="v1", name="Pod", plural="pods", namespaced=True, schema="")


def changed(obj: Object, change: str = "added") -> Changed:
    return Changed(change, Key("pods.core", namespace_of(obj), name_of(obj)), obj, None, 1)


def names(objects: list[Object]) -> list[str]:
    return sorted(name_of(obj) for obj in objects)


@pytest.fixture
def cache() -> Cache:
    cache = Cache("pods.core")
    cache.add_index("node", lambda obj: [obj["spec"].get("nodeName", "")])
    owner = replicaset("web", uid="uid-web")
    cache.apply(changed(pod("a", node="n1", owner=owner)))
    cache.apply(changed(pod("b", node="n2", owner=owner)))
    cache.apply(changed(pod("c", "other", node="n1")))
    return cache


def test_objects_are_found_every_way(cache: Cache) -> None:
    assert name_of(cache.get("default", "a") or {}) == "a"
    assert cache.get("other", "a") is None
    assert names(cache.list()) == ["a", "b", "c"]
    assert names(cache.list("other")) == ["c"]
    assert names(cache.list("nowhere")) == []
    assert names(cache.owned("uid-web")) == ["a", "b"]
    assert names(cache.indexed("node", "n1")) == ["a", "c"]
    assert names(cache.indexed("node", "n9")) == []
    assert len(cache) == 3


def test_an_index_that_nobody_declared_is_an_error(cache: Cache) -> None:
    with pytest.raises(KeyError):
        cache.indexed("colour", "blue")


def test_a_changed_object_is_found_under_its_new_values_only(cache: Cache) -> None:
    cache.apply(changed(pod("a", node="n3"), "modified"))
    assert names(cache.indexed("node", "n1")) == ["c"]
    assert names(cache.indexed("node", "n3")) == ["a"]
    assert names(cache.owned("uid-web")) == ["b"]


def test_a_deleted_object_is_found_no_more(cache: Cache) -> None:
    cache.apply(changed(pod("c", "other", node="n1"), "deleted"))
    assert names(cache.indexed("node", "n1")) == ["a"]
    assert names(cache.list("other")) == []
    cache.apply(changed(pod("never-seen"), "deleted"))
    assert len(cache) == 2


def test_an_index_added_late_holds_what_is_there(cache: Cache) -> None:
    cache.add_index("first letter", lambda obj: [name_of(obj)[0]])
    assert names(cache.indexed("first letter", "b")) == ["b"]


def test_a_view_knows_how_long_an_object_was_quiet() -> None:
    now = 100.0
    cache = Cache("pods.core")
    view = Caches({"pods.core": cache}, lambda: now)
    cache.apply(changed(pod("a")), at=70.0)
    assert view.quiet_for(PODS, "default", "a") == timedelta(seconds=30)
    assert view.quiet_for(PODS, "default", "b") is None
    cache.filled_at = 95.0
    assert view.quiet_for(PODS, "default", "a") == timedelta(seconds=5), "silence before a listing is nobody's fault"


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"]), st.booleans(), st.sampled_from(["1", "2"])),
        max_size=30,
    )
)
def test_every_index_agrees_with_a_scan(steps: list[tuple[str, str, bool, str]]) -> None:
    cache = Cache("pods.core")
    cache.add_index("app", lambda obj: list(labels_of(obj).values()))
    truth: dict[tuple[str, str], Object] = {}
    for name, namespace, gone, value in steps:
        obj = pod(name, namespace, labels={"app": value})
        cache.apply(changed(obj, "deleted" if gone else "modified"))
        if gone:
            truth.pop((namespace, name), None)
        else:
            truth[namespace, name] = obj
    assert names(cache.list()) == names(list(truth.values()))
    for namespace in "xy":
        assert names(cache.list(namespace)) == names([obj for key, obj in truth.items() if key[0] == namespace])
    for value in "12":
        scan = [obj for obj in truth.values() if labels_of(obj)["app"] == value]
        assert names(cache.indexed("app", value)) == names(scan)
