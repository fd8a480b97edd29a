"""What is in a namespace that does not exist."""

from __future__ import annotations

from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.objects import Key, Object
from kubus.testing.builders import config_map, node
from kubus.testing.world import World
from kubus_controllers.reconcilers.strays import controller

CONTROLLER = controller((CONFIGMAPS, NODES))


def namespace(name: str) -> Object:
    return {"metadata": {"name": name}}


def woken(world: World, kind: object, obj: Object) -> list[Key]:
    return [key for watch in CONTROLLER.watches if watch.kind is kind for key in watch.wakes(obj, world)]


def test_what_came_too_late_into_a_namespace_is_collected() -> None:
    """Found by seed 1019: a Service was written when its namespace had just gone."""
    world = World((CONFIGMAPS, config_map("late", "gone")))
    [late] = world.list(CONFIGMAPS)
    assert woken(world, CONFIGMAPS, late) == [Key("configmaps.core", "gone", "late")]
    world.reconcile(CONTROLLER, CONFIGMAPS)
    assert world.list(CONFIGMAPS) == []


def test_what_was_missed_when_a_namespace_went_is_woken_by_its_end() -> None:
    world = World((CONFIGMAPS, config_map("missed", "gone")))
    assert woken(world, NAMESPACES, namespace("gone")) == [Key("configmaps.core", "gone", "missed")]


def test_everything_else_stays_and_sleeps() -> None:
    world = World((NAMESPACES, namespace("default")), (CONFIGMAPS, config_map("here")), (NODES, node("n1")))
    for kind in (CONFIGMAPS, NODES, NAMESPACES):
        for obj in world.list(kind):
            assert woken(world, kind, obj) == []
            assert world.plan(CONTROLLER, obj).actions == ()
