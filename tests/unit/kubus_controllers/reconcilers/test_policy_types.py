"""Policies are told what their expressions get wrong."""

from __future__ import annotations

from typing import Any

from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.kinds.customresourcedefinitions import KIND as DEFINITIONS
from kubus.model.kinds.validatingadmissionpolicies import KIND as POLICIES
from kubus.testing.world import World
from kubus_controllers.reconcilers.policy_types import controller

CONTROLLER = controller(builtin_kinds())


def policy(expression: str, group: str, resource: str, **spec: Any) -> tuple[Any, dict[str, Any]]:
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["*"], "resources": [resource]}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": expression}], **spec}
    return POLICIES, {"metadata": {"name": "p", "generation": 3}, "spec": spec}


def definition(type_: str) -> tuple[Any, dict[str, Any]]:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"n": {"type": type_}}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "things", "kind": "Thing"}
    return DEFINITIONS, {
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "names": names, "versions": [version]},
    }


def status(world: World) -> Any:
    return (world.get(POLICIES, "", "p") or {}).get("status")


def test_a_policy_without_mistakes_has_been_looked_at() -> None:
    world = World(policy("object.spec.replicas > 1", "apps", "deployments"))
    world.settle(CONTROLLER)
    assert status(world) == {"observedGeneration": 3, "typeChecking": {}}


def test_mistakes_about_built_in_kinds_are_told() -> None:
    world = World(policy("object.spec.replicas > '1'", "apps", "deployments"))
    world.settle(CONTROLLER)
    (warning,) = status(world)["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert warning["warning"].startswith("apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload")


def test_mistakes_about_custom_kinds_are_told_when_the_kind_is_there() -> None:
    params = {"paramKind": {"apiVersion": "example.com/v1", "kind": "Thing"}}
    world = World(policy("object.spec.n > 1 && params.spec.n > 1", "example.com", "things", **params))
    world.settle(CONTROLLER)
    assert status(world)["typeChecking"] == {}
    world.put(*definition("string"))
    world.settle(CONTROLLER)
    warning = status(world)["typeChecking"]["expressionWarnings"][0]["warning"]
    assert warning.count("applied to '(string, int)'") == 2


def test_a_custom_object_has_all_metadata() -> None:
    right = policy("object.metadata.labels['a'] == 'b' && object.kind == 'Thing'", "example.com", "things")
    world = World(right, definition("integer"))
    world.settle(CONTROLLER)
    assert status(world)["typeChecking"] == {}
