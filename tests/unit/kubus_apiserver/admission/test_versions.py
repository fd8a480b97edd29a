"""Objects as webhooks want to see them, and what they made of them completed."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from tests.unit.kubus_apiserver.admission.test_webhooks import Hooks

from kubus.model.custom.definitions import kinds_of
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind, Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.horizontalpodautoscalers import KIND as V2
from kubus.model.kinds.horizontalpodautoscalers_v1 import KIND as V1
from kubus.model.schema import load_schemas
from kubus_apiserver.admission import Place, Proposal
from kubus_apiserver.admission.versions import Versions
from kubus_apiserver.calls import User
from kubus_apiserver.conversions import Conversions

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}


def versions() -> Versions:
    return Versions(Registry(builtin_kinds()), Conversions(Hooks(), Random(1)), load_schemas())


def proposal(kind: Kind, obj: dict[str, Any], subresource: str = "", **more: Any) -> Proposal:
    made = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "x", "namespace": "a"}, **obj}
    return Proposal(User("u"), "create", kind, subresource, made, None, **more)


def test_others_are_all_versions_and_groups_of_the_same_objects() -> None:
    made = versions()
    assert [each.api_version for each in made.others(V1)] == ["autoscaling/v2"]
    assert [each.api_version for each in made.others(V2)] == ["autoscaling/v1"]
    assert made.others(DEPLOYMENTS) == []


async def test_an_object_is_shown_in_another_version_and_what_is_made_of_it_turned_back() -> None:
    made = versions()
    given = proposal(V1, {"spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50}})
    shown = await made.shown(given, V2)
    assert shown.object["apiVersion"] == "autoscaling/v2"
    assert shown.object["spec"]["metrics"] == [CPU]
    assert shown.kind is V1
    changed = {**shown.object, "spec": {**shown.object["spec"], "maxReplicas": 7}}
    back = (await made.taken_over(given, V2, changed)).object
    assert back["apiVersion"] == "autoscaling/v1"
    assert (back["spec"]["maxReplicas"], back["spec"]["targetCPUUtilizationPercentage"]) == (7, 50)


async def test_of_a_change_unknown_fields_go_defaults_come_and_types_count() -> None:
    given = proposal(DEPLOYMENTS, {"spec": {"selector": {}, "template": {}}})
    changed = {**given.object, "spec": {**given.object["spec"], "bogus": 1}}
    spec = (await versions().taken_over(given, DEPLOYMENTS, changed)).object["spec"]
    assert "bogus" not in spec
    assert spec["replicas"] == 1
    with pytest.raises(StatusError) as refused:
        await versions().taken_over(given, DEPLOYMENTS, {**given.object, "spec": {"replicas": "many"}})
    assert refused.value.code == 500


async def test_custom_objects_are_pruned_and_defaulted() -> None:
    schema = {
        "type": "object",
        "properties": {"data": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"default": "B"}}}},
    }
    definition = {
        "metadata": {"name": "things.example.com", "uid": "1"},
        "spec": {
            "group": "example.com",
            "names": {"plural": "things", "kind": "Thing"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    kind = kinds_of(definition)[0]
    given = proposal(kind, {"data": {"a": "1"}})
    done = await versions().taken_over(given, kind, {**given.object, "data": {"a": "1", "c": "?"}})
    assert done.object["data"] == {"a": "1", "b": "B"}


async def test_what_a_subresource_takes_keeps_its_own_kind() -> None:
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "x"}, "spec": {"replicas": 1}}
    given = proposal(DEPLOYMENTS, scale, "scale", place=Place("a", "x"))
    assert await versions().shown(given, V2) is given
    done = await versions().taken_over(given, DEPLOYMENTS, {**scale, "kind": "Odd", "spec": {"replicas": 2, "x": 1}})
    assert (done.object["kind"], done.object["spec"]) == ("Scale", {"replicas": 2})
    with pytest.raises(StatusError, match="Internal error occurred"):
        await versions().taken_over(given, DEPLOYMENTS, {**scale, "spec": {"replicas": "x"}})
