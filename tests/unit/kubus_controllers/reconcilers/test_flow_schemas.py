"""FlowSchemas say whether their level is there."""

from __future__ import annotations

from kubus.model.kinds.flowschemas import KIND as SCHEMAS
from kubus.model.kinds.prioritylevelconfigurations import KIND as LEVELS
from kubus.model.objects import Object
from kubus.testing.world import World
from kubus_controllers.reconcilers.flow_schemas import CONTROLLER

SCHEMA: Object = {"metadata": {"name": "s"}, "spec": {"priorityLevelConfiguration": {"name": "high"}}}


def said(world: World) -> Object:
    world.settle(CONTROLLER)
    (condition,) = world.list(SCHEMAS)[0]["status"]["conditions"]
    return condition


def test_a_schema_says_whether_its_level_is_there_and_follows_it() -> None:
    world = World((SCHEMAS, SCHEMA))
    start = 'This FlowSchema references the PriorityLevelConfiguration object named "high"'
    missing = said(world)
    assert (missing["type"], missing["status"], missing["reason"]) == ("Dangling", "True", "NotFound")
    assert missing["message"] == f"{start} but there is no such object"
    world.put(LEVELS, {"metadata": {"name": "high"}, "spec": {}})
    there = said(world)
    assert (there["status"], there["reason"], there["message"]) == ("False", "Found", f"{start} and it exists")
    world.remove(LEVELS, "", "high")
    assert said(world)["status"] == "True"


def test_a_schema_that_is_right_is_left_alone() -> None:
    world = World((SCHEMAS, SCHEMA), (LEVELS, {"metadata": {"name": "high"}}))
    first = said(world)
    assert said(world) == first
