"""Updates and applies: Kubernetes' own examples as tables, and invariants in random worlds."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.codec import pack
from kubus.model.managedfields.fieldsets import LEAF, Node, union
from kubus.model.managedfields.managers import APPLY, UPDATE, Managed, Manager, Managers, identity
from kubus.model.managedfields.pruning import with_named_fields
from kubus.model.managedfields.schema_types import SchemaTypes
from kubus.model.managedfields.types import DEDUCED_MAP, Type
from kubus.model.managedfields.updating import (
    BEFORE_FIRST_APPLY,
    By,
    Conflicts,
    Version,
    View,
    applied,
    skipped_fields,
    updated,
)
from kubus.model.schema import load_schemas

from .oracle import as_set, differences, flat, owned, random_type, random_value

SEEDS = st.integers(0, 10**6)
TYPES = SchemaTypes(load_schemas())
DEPLOYMENT = TYPES["io.k8s.api.apps.v1.Deployment"]
POD = TYPES["io.k8s.api.core.v1.Pod"]


def view(type_: Type, *, ignored: Node = LEAF, other: Any = lambda _version: None) -> View:
    return View(type_, "v1", ignored, skipped_fields(ignored), other)


def updater(name: str) -> Manager:
    return identity(name, UPDATE, "v1")


def applier(name: str) -> Manager:
    return identity(name, APPLY, "v1")


class World:
    """An object and its managers."""

    def __init__(self, type_: Type, *, ignored: Node = LEAF) -> None:
        self.view = view(type_, ignored=ignored)
        self.live: Any = {}
        self.managers: Managers = {}
        self.time = 0

    def by(self, manager: Manager) -> By:
        self.time += 1
        return By(manager, f"2026-01-01T00:00:{self.time:02}Z")

    def update(self, name: str, new: Any) -> None:
        self.managers = updated(self.view, self.live, new, self.managers, self.by(updater(name)))
        self.live = new

    def apply(self, name: str, config: Any, *, force: bool = False) -> None:
        done = applied(self.view, self.live, config, self.managers, self.by(applier(name)), force=force)
        self.managers = done.managers
        if done.object is not None:
            self.live = done.object

    def fields(self, manager: Manager) -> Node:
        return self.managers[manager].fields if manager in self.managers else {}


def test_an_update_takes_what_it_changes() -> None:
    world = World(DEDUCED_MAP)
    world.update("a", {"x": 1, "y": 1})
    world.update("b", {"x": 2, "y": 1})
    assert world.fields(updater("a")) == {"f:y": {}}
    assert world.fields(updater("b")) == {"f:x": {}}
    world.update("b", {"x": 2})
    assert updater("a") not in world.managers


def test_an_update_that_changes_nothing_leaves_the_managers_as_they_are() -> None:
    world = World(DEDUCED_MAP)
    world.update("a", {"x": 1})
    before = world.managers
    world.update("b", {"x": 1})
    assert world.managers is before


def test_what_a_request_cannot_set_is_nobodys() -> None:
    world = World(DEDUCED_MAP, ignored={"f:status": {}})
    world.update(
        "a", {"spec": 1, "status": {"x": 1}, "apiVersion": "v1", "metadata": {"name": "n", "labels": {"l": "1"}}}
    )
    assert world.fields(updater("a")) == {"f:spec": {}, "f:metadata": {"f:labels": {".": {}, "f:l": {}}}}
    world.apply("b", {"spec": 1, "status": {"x": 2}, "metadata": {"name": "n"}})
    assert world.fields(applier("b")) == {"f:spec": {}}


def test_a_conflict_is_refused_unless_forced() -> None:
    world = World(DEDUCED_MAP)
    world.update("a", {"x": 1})
    with pytest.raises(Conflicts) as refused:
        world.apply("b", {"x": 2})
    assert [(each.manager.name, each.path) for each in refused.value.conflicts] == [("a", ("f:x",))]
    world.apply("b", {"x": 2}, force=True)
    assert world.managers.keys() == {applier("b")}


def test_the_same_value_is_owned_together_and_goes_with_its_last_owner() -> None:
    world = World(DEDUCED_MAP)
    world.apply("a", {"x": 1})
    world.apply("b", {"x": 1, "y": 2})
    world.apply("b", {"y": 2})
    assert world.live == {"x": 1, "y": 2}
    world.apply("a", {})
    assert world.live == {"y": 2}


def test_what_an_update_set_stays_when_an_applier_lets_go() -> None:
    world = World(DEDUCED_MAP)
    world.apply("a", {"x": 1, "y": 1})
    world.update("b", {"x": 2, "y": 1})
    world.apply("a", {"y": 1})
    assert world.live == {"x": 2, "y": 1}


def test_an_apply_repeated_changes_nothing_not_even_the_time() -> None:
    world = World(DEDUCED_MAP)
    world.apply("a", {"x": 1})
    before = dict(world.managers)
    world.apply("a", {"x": 1})
    assert world.managers == before


def test_an_object_nobody_managed_is_managed_before_the_first_apply() -> None:
    world = World(DEDUCED_MAP)
    world.live = {"x": 1}
    with pytest.raises(Conflicts) as refused:
        world.apply("a", {"x": 2})
    assert refused.value.conflicts[0].manager == updater(BEFORE_FIRST_APPLY)


def ports(*numbers: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "ports": list(numbers)}]}}


def test_items_with_a_defaulted_key_are_the_same_with_and_without_it() -> None:
    world = World(POD)
    world.update("a", ports({"containerPort": 80, "protocol": "TCP"}))
    world.apply("b", ports({"containerPort": 80, "name": "web"}, {"containerPort": 80, "protocol": "UDP"}))
    assert world.live == ports(
        {"containerPort": 80, "protocol": "TCP", "name": "web"}, {"containerPort": 80, "protocol": "UDP"}
    )


def deployment(replicas: int | None, *containers: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {"template": {"spec": {"containers": list(containers)}}}
    return {"spec": {"replicas": replicas, **spec} if replicas is not None else spec}


def test_an_autoscaler_takes_over_the_replicas() -> None:
    """https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership."""
    nginx = {"name": "nginx", "image": "nginx:1.14.2"}
    world = World(DEPLOYMENT)
    world.apply("kubectl", deployment(3, nginx))
    world.apply("handover-to-hpa", {"spec": {"replicas": 3}})
    world.apply("kubectl", deployment(None, nginx))
    assert world.live == deployment(3, nginx)
    assert world.fields(applier("handover-to-hpa")) == {"f:spec": {"f:replicas": {}}}
    world.update("hpa", deployment(5, nginx))
    assert world.managers.keys() == {applier("kubectl"), updater("hpa")}
    world.apply("kubectl", deployment(None, nginx))
    assert world.live == deployment(5, nginx)


def test_atomic_lists_are_replaced_and_conflict_as_a_whole() -> None:
    world = World(POD)
    world.apply("a", {"spec": {"containers": [{"name": "c", "args": ["1", "2"]}]}})
    with pytest.raises(Conflicts):
        world.apply("b", {"spec": {"containers": [{"name": "c", "args": ["1"]}]}})
    world.apply("b", {"spec": {"containers": [{"name": "c", "args": ["1"]}]}}, force=True)
    assert world.live == {"spec": {"containers": [{"name": "c", "args": ["1"]}]}}


def test_finalizers_are_a_set_of_many_owners() -> None:
    world = World(POD)
    world.apply("a", {"metadata": {"finalizers": ["a/x"]}})
    world.apply("b", {"metadata": {"finalizers": ["b/x"]}})
    assert sorted(world.live["metadata"]["finalizers"]) == ["a/x", "b/x"]
    world.apply("a", {"metadata": {}})
    assert world.live["metadata"]["finalizers"] == ["b/x"]


def test_an_empty_map_that_is_let_go_goes() -> None:
    world = World(DEPLOYMENT)
    world.apply("a", {"spec": {"strategy": {"type": "Recreate"}, "paused": True}})
    world.apply("a", {"spec": {"paused": True}})
    assert world.live == {"spec": {"paused": True}}


def test_managers_of_another_version_are_asked_in_its_terms() -> None:
    def there(obj: Any) -> Any:
        return {"new": obj["old"]} if "old" in obj else {}

    def back(obj: Any) -> Any:
        return {"old": obj["new"]} if "new" in obj else {}

    def other(version: str) -> Version | None:
        return Version(DEDUCED_MAP, there, back) if version == "v2" else None

    seen = view(DEDUCED_MAP, other=other)
    managers: Managers = {
        identity("two", UPDATE, "v2"): Managed("v2", {"f:new": {}}),
        identity("gone", UPDATE, "v0"): Managed("v0", {"f:x": {}}),
        applier("me"): Managed("v2", {"f:new": {}}),
    }
    with pytest.raises(Conflicts):
        applied(seen, {"old": 1}, {"old": 2}, managers, By(applier("you"), "now"), force=False)
    done = applied(seen, {"old": 1}, {}, managers, By(applier("me"), "now"), force=False)
    assert done.managers.keys() == {identity("two", UPDATE, "v2")}
    alone = {applier("me"): Managed("v2", {"f:new": {}})}
    done = applied(seen, {"old": 1, "x": 1}, {"x": 1}, alone, By(applier("me"), "now"), force=False)
    assert done.object == {"x": 1} or done.object == {}


NAMES = ("a", "b", "c")


def random_world(seed: int) -> tuple[Random, World]:
    """A few managers have updated and applied."""
    random = Random(seed)
    world = World(random_type(random))
    for _ in range(random.randint(1, 5)):
        value, name = random_value(random, world.view.type), random.choice(NAMES)
        if random.random() < 0.5:
            world.update(name, value)
        else:
            world.apply(name, value, force=True)
    return random, world


def paths_of(world: World, manager: Manager) -> set[tuple[str, ...]]:
    return as_set(world.fields(manager))


def below(path: tuple[str, ...], roots: set[tuple[str, ...]]) -> bool:
    return any(path[: len(root)] == root for root in roots)


@given(SEEDS)
def test_an_applier_owns_what_it_said_and_the_object_has_it(seed: int) -> None:
    random, world = random_world(seed)
    type_, config = world.view.type, random_value(random, world.view.type)
    world.apply("a", config, force=True)
    assert paths_of(world, applier("a")) == owned(type_, config)
    have = flat(type_, world.live)
    assert all(have.get(path) == value for path, value in flat(type_, config).items())


@given(SEEDS)
def test_an_apply_is_idempotent_and_edits_nothing(seed: int) -> None:
    random, world = random_world(seed)
    config = random_value(random, world.view.type)
    given_ = [world.live, config, [managed.fields for managed in world.managers.values()]]
    before = pack(given_)
    world.apply("a", config, force=True)
    assert pack(given_) == before
    live, managers = world.live, dict(world.managers)
    world.apply("a", config)
    assert (world.live, world.managers) == (live, managers)


@given(SEEDS)
def test_nothing_goes_but_what_the_applier_owned_and_nobody_else_does(seed: int) -> None:
    random, world = random_world(seed)
    type_ = world.view.type
    before, live = dict(world.managers), flat(type_, world.live)
    config = random_value(random, type_)
    world.apply("a", config, force=True)
    have = flat(type_, world.live)
    last = before.get(applier("a"))
    mine = as_set(with_named_fields(type_, last.fields)) if last else set()
    others: Node = {}
    for manager, managed in before.items():
        if manager != applier("a"):
            others = union(others, managed.fields)
    theirs = as_set(with_named_fields(type_, others))
    leaves = {path for path in live if not any(other[: len(path)] == path and other != path for other in live)}
    gone = leaves - have.keys()
    assert all(below(path, mine - theirs) for path in gone), "something unowned or another's has gone"
    let_go = (leaves & mine) - theirs - flat(type_, config).keys()
    assert not let_go & have.keys(), "something has stayed that its only owner let go"


@given(SEEDS)
def test_conflicts_are_the_others_fields_whose_value_would_change(seed: int) -> None:
    random, world = random_world(seed)
    type_, config = world.view.type, random_value(random, world.view.type)
    before, live = dict(world.managers), world.live
    try:
        world.apply("a", config)
        found = set()
    except Conflicts as refused:
        found = {(each.manager, each.path) for each in refused.conflicts}
    world.live, world.managers = live, before
    world.apply("a", config, force=True)
    _, modified, added = differences(type_, live, world.live)
    expected = {
        (manager, path)
        for manager, managed in before.items()
        if manager != applier("a")
        for path in as_set(managed.fields)
        if path in modified | added
    }
    assert found == expected
    assert all(path not in as_set(world.fields(manager)) for manager, path in expected)


@given(SEEDS)
def test_an_update_owns_what_it_wrote_and_others_keep_the_rest(seed: int) -> None:
    random, world = random_world(seed)
    before, old = dict(world.managers), world.live
    new = random_value(random, world.view.type)
    world.update("u", new)
    removed, modified, added = differences(world.view.type, old, new)
    assert paths_of(world, updater("u")) == modified | added
    for manager, managed in before.items():
        assert paths_of(world, manager) == as_set(managed.fields) - removed - modified - added
