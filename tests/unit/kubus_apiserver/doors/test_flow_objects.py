"""The objects that show what is served before what."""

from __future__ import annotations

from kubus.model.kinds.flowschemas import KIND as FLOWS
from kubus.model.kinds.prioritylevelconfigurations import KIND as LEVEL_OBJECTS
from kubus.model.schema import load_schemas
from kubus.testing.kinds import complaints
from kubus_apiserver.bootstrap import bootstrap_flows
from kubus_apiserver.doors.fairness import EXEMPT, LEVELS
from kubus_apiserver.doors.flow_objects import flow_schemas, priority_levels


def test_every_object_fits_its_schema_and_is_valid() -> None:
    for kind, objects in ((FLOWS, flow_schemas()), (LEVEL_OBJECTS, priority_levels())):
        for obj in objects:
            assert load_schemas().clean(kind.schema, obj), obj
            assert complaints(kind, obj) == []


def test_every_level_is_shown_and_every_flow_has_one() -> None:
    levels = {each["metadata"]["name"] for each in priority_levels()}
    assert levels == {EXEMPT, *(level.name for level in LEVELS)}
    assert {each["spec"]["priorityLevelConfiguration"]["name"] for each in flow_schemas()} == levels


async def test_they_are_made_once(api) -> None:
    await bootstrap_flows(api.core)
    before = await api.ok("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas")
    assert len(before["items"]) == len(flow_schemas())
    await bootstrap_flows(api.core)
    after = await api.ok("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas")
    assert after["items"] == before["items"]
