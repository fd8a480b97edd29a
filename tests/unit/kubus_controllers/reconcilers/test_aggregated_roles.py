"""Roles made of other roles."""

from __future__ import annotations

from typing import Any

from kubus.model.kinds.clusterroles import KIND as CLUSTER_ROLES
from kubus.testing.world import World
from kubus_controllers.reconcilers.aggregated_roles import CONTROLLER

PODS = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
MAPS = {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}


def part(name: str, *rules: Any, whole: str = "view") -> tuple[Any, dict[str, Any]]:
    return CLUSTER_ROLES, {"metadata": {"name": name, "labels": {f"to-{whole}": "true"}}, "rules": list(rules)}


def whole(name: str, **labels: str) -> tuple[Any, dict[str, Any]]:
    selector = {"matchLabels": {f"to-{name}": "true"}}
    return CLUSTER_ROLES, {
        "metadata": {"name": name, "labels": labels},
        "aggregationRule": {"clusterRoleSelectors": [selector]},
        "rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    }


def rules(world: World, name: str) -> Any:
    return (world.get(CLUSTER_ROLES, "", name) or {}).get("rules")


def test_a_role_has_the_rules_of_its_parts_and_no_others() -> None:
    world = World(whole("view"), part("b", MAPS, PODS), part("a", PODS), part("x", PODS, whole="edit"))
    world.settle(CONTROLLER)
    assert rules(world, "view") == [PODS, MAPS]


def test_parts_of_parts_arrive_too() -> None:
    world = World(whole("view", **{"to-edit": "true"}), whole("edit"), part("a", PODS))
    world.settle(CONTROLLER)
    assert rules(world, "edit") == [PODS]


def test_a_part_that_changes_or_goes_changes_the_whole() -> None:
    world = World(whole("view"), part("a", PODS), part("b", MAPS))
    world.settle(CONTROLLER)
    world.remove(CLUSTER_ROLES, "", "a")
    world.settle(CONTROLLER)
    assert rules(world, "view") == [MAPS]


def test_other_roles_are_left_alone() -> None:
    world = World(part("a", PODS))
    world.settle(CONTROLLER)
    assert rules(world, "a") == [PODS]
