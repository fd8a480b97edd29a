"""MutatingAdmissionPolicies change objects in CEL."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
RULES = [
    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]},
    {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]},
]


def config_map(name: str = "m", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(**pod: Any) -> dict[str, Any]:
    labels = {"app": "d"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}], **pod}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


def applied(expression: str) -> dict[str, Any]:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patched(expression: str) -> dict[str, Any]:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


async def bound(api: Api, *mutations: dict[str, Any], name: str = "p", how: Any = None, **spec: Any) -> None:
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": RULES},
            "mutations": list(mutations),
            "reinvocationPolicy": "Never",
            **spec,
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": f"{name}-binding"},
        "spec": {"policyName": name, **(how or {})},
    }
    await api.ok("POST", f"{GROUP}/mutatingadmissionpolicies", policy)
    await api.ok("POST", f"{GROUP}/mutatingadmissionpolicybindings", binding)
    await api.core.freshness.consistent()


async def test_a_configuration_is_merged_with_the_object(api: Api) -> None:
    side = "Object.spec.template.spec.containers{name: 'side', image: 'proxy'}"
    pod = f"Object.spec.template.spec{{containers: [{side}]}}"
    await bound(api, applied(f"Object{{spec: Object.spec{{template: Object.spec.template{{spec: {pod}}}}}}}"))
    made = await api.ok("POST", DEPLOYMENTS, deployment())
    containers = made["spec"]["template"]["spec"]["containers"]
    assert [(each["name"], each["image"]) for each in containers] == [("c", "i"), ("side", "proxy")]
    assert containers[1]["imagePullPolicy"] == "Always"
    managers = {entry["manager"] for entry in made["metadata"]["managedFields"]}
    assert managers == {"test"}


async def test_a_patch_is_applied(api: Api) -> None:
    escaped = "'/metadata/labels/' + jsonpatch.escapeKey('example.com/env')"
    await bound(
        api,
        patched("[JSONPatch{op: 'add', path: '/metadata/labels', value: {'a': 'b'}}]"),
        patched(f"[JSONPatch{{op: 'add', path: {escaped}, value: object.metadata.labels.a + '2'}}]"),
        patched("[JSONPatch{op: 'test', path: '/data/x', value: '2'}, JSONPatch{op: 'remove', path: '/data'}]"),
    )
    made = await api.ok("POST", MAPS, config_map(x="1"))
    assert made["metadata"]["labels"] == {"a": "b", "example.com/env": "b2"}
    assert made["data"] == {"x": "1"}


async def test_variables_parameters_and_conditions(api: Api) -> None:
    await api.ok("POST", MAPS, config_map("defaults", colour="blue"))
    await bound(
        api,
        applied("Object{data: {'colour': variables.colour}}"),
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        variables=[{"name": "colour", "expression": "params.data.colour"}],
        matchConditions=[{"name": "none", "expression": "!has(object.data) || !('colour' in object.data)"}],
        how={"paramRef": {"name": "defaults", "parameterNotFoundAction": "Deny"}},
    )
    assert (await api.ok("POST", MAPS, config_map("a", x="1")))["data"] == {"x": "1", "colour": "blue"}
    assert (await api.ok("POST", MAPS, config_map("b", colour="red")))["data"] == {"colour": "red"}


async def test_policies_see_each_others_changes_and_may_see_them_again(api: Api) -> None:
    count = "Object{data: {'%s': string(object.data.size())}}"
    await bound(api, applied(count % "a"), name="a", reinvocationPolicy="IfNeeded")
    await bound(api, applied(count % "b"), name="b")
    made = await api.ok("POST", MAPS, config_map(x="1"))
    assert made["data"] == {"x": "1", "a": "3", "b": "2"}


@pytest.mark.parametrize(
    ("mutation", "words"),
    [
        (applied("Object{spec: Object.spec{replicas: object.nothing}}"), "no such key: nothing"),
        (
            applied("Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'a': 'b'}}}}"),
            "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs",
        ),
        (
            applied("Object{spec: Object.spec{nonsense: 1}}"),
            "failed to convert patch object to typed object: .spec.nonsense: field not declared in schema",
        ),
        (patched("[JSONPatch{op: 'remove', path: '/spec/nothing'}]"), "JSONPatch: "),
        (applied("Object{spec: Object.spec{replicas: 'many'}}"), "error applying patch: Deployment in version"),
        (patched("[JSONPatch{op: 'replace', path: '/spec', value: 1}]"), "error applying patch: Deployment in version"),
        (
            patched("[JSONPatch{op: 'add', path: '/metadata/labels', value: quantity('1')}]"),
            "could not marshal to JSON",
        ),
    ],
)
async def test_what_fails_is_for_the_failure_policy(api: Api, mutation: dict[str, Any], words: str) -> None:
    await bound(api, mutation)
    refused = await api("POST", DEPLOYMENTS, deployment())
    assert (refused.code, refused.body["reason"]) == (403, "Invalid")
    assert refused.message.startswith("policy 'p' with binding 'p-binding' denied request: ")
    assert words in refused.message
    patch = {"content_type": "application/merge-patch+json"}
    await api.ok("PATCH", f"{GROUP}/mutatingadmissionpolicies/p", {"spec": {"failurePolicy": "Ignore"}}, **patch)
    await api.core.freshness.consistent()
    await api.ok("POST", DEPLOYMENTS, deployment())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mutations": []}, "spec.mutations: Required value"),
        ({"mutations": [{"patchType": "Merge"}]}, "spec.mutations[0].patchType: Unsupported value"),
        ({"mutations": [{"patchType": "JSONPatch"}]}, "spec.mutations[0].jsonPatch: Required value"),
        ({"mutations": [applied("object.x +")]}, "applyConfiguration.expression: Invalid value"),
        ({"mutations": [applied("[1]")]}, "must evaluate to Object"),
        ({"mutations": [patched("true")]}, "must evaluate to []JSONPatch"),
        ({"mutations": [applied("Object{spec: Object.status{}}")]}, 'unexpected type name "Object.status"'),
        ({"reinvocationPolicy": None}, "spec.reinvocationPolicy: Required value"),
        (
            {"matchConstraints": {"resourceRules": [{**RULES[0], "operations": ["DELETE"]}]}},
            "spec.matchConstraints.resourceRules[0].operations[0]: Unsupported value",
        ),
    ],
)
async def test_a_policy_is_looked_at_when_it_is_written(api: Api, changes: dict[str, Any], words: str) -> None:
    spec = {
        "matchConstraints": {"resourceRules": RULES},
        "mutations": [applied("Object{}")],
        "reinvocationPolicy": "Never",
        **changes,
    }
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {key: value for key, value in spec.items() if value is not None},
    }
    refused = await api("POST", f"{GROUP}/mutatingadmissionpolicies", policy)
    assert refused.code == 422
    assert words in refused.message


async def test_a_policy_without_its_parameters_kind_says_so(api: Api) -> None:
    await bound(api, applied("Object{}"), paramKind={"apiVersion": "example.com/v1", "kind": "Limit"})
    refused = await api("POST", MAPS, config_map())
    words = "failed to find resource referenced by paramKind: 'example.com/v1, Kind=Limit'"
    assert refused.message == f"policy 'p' denied request: failed to configure policy: {words}"
