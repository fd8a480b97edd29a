"""Which policies are asked, by way of which bindings, and with which parameters."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_apiserver.admission.test_policies import GROUP, MAPS, RULE, binding, bound, config_map, policy
from tests.unit.kubus_apiserver.conftest import Api

LABELLED = {"expression": "!has(object.data) || !('colour' in object.data) || object.data.colour == params.spec.colour"}
LIMIT = {"apiVersion": "example.com/v1", "kind": "Limit"}
NAMESPACES = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["namespaces"]}


async def limits(api: Api, scope: str = "Namespaced") -> str:
    """A kind of parameters; the path of its objects."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "additionalProperties": {"type": "string"}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "limits", "kind": "Limit"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "limits.example.com"},
        "spec": {"group": "example.com", "scope": scope, "names": names, "versions": [version]},
    }
    await api.ok("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    path = "/apis/example.com/v1/limits" if scope == "Cluster" else "/apis/example.com/v1/namespaces/default/limits"
    while (await api("GET", path)).code != 200:
        await api.core.freshness.consistent()
    return path


def limit(name: str, colour: str) -> dict[str, Any]:
    return {**LIMIT, "metadata": {"name": name, "labels": {"active": "yes"}}, "spec": {"colour": colour}}


async def test_every_parameter_that_labels_select_is_asked_with(api: Api) -> None:
    path = await limits(api)
    reference = {"selector": {"matchLabels": {"active": "yes"}}, "parameterNotFoundAction": "Allow"}
    await bound(api, policy(LABELLED, paramKind=LIMIT), binding(paramRef=reference))
    await api.ok("POST", MAPS, config_map("none", colour="green"))
    await api.ok("POST", path, limit("red", "red"))
    await api.core.freshness.consistent()
    await api.ok("POST", MAPS, config_map("a", colour="red"))
    assert (await api("POST", MAPS, config_map("b", colour="blue"))).code == 422
    await api.ok("POST", path, limit("blue", "blue"))
    await api.core.freshness.consistent()
    assert (await api("POST", MAPS, config_map("c", colour="red"))).code == 422


@pytest.mark.parametrize(
    ("scope", "reference", "rule", "words"),
    [
        (
            "Cluster",
            {"name": "x", "namespace": "default"},
            RULE,
            "paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
        ),
        (
            "Namespaced",
            {"name": "x"},
            NAMESPACES,
            "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
        ),
        ("Namespaced", {"name": "x"}, RULE, "no params found for policy binding with `Deny` parameterNotFoundAction"),
    ],
)
async def test_parameters_that_cannot_be_are_refused(
    api: Api, scope: str, reference: dict[str, str], rule: dict[str, Any], words: str
) -> None:
    await limits(api, scope)
    made = policy({"expression": "true"}, paramKind=LIMIT, matchConstraints={"resourceRules": [rule]})
    await bound(api, made, binding(paramRef={**reference, "parameterNotFoundAction": "Deny"}))
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    asked = ("POST", MAPS, config_map("m")) if rule is RULE else ("POST", "/api/v1/namespaces", space)
    refused = await api(*asked)
    start = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed to configure binding"
    assert refused.message.endswith(f"{start}: {words}")


async def test_a_kind_of_parameters_that_is_none_is_refused(api: Api) -> None:
    await bound(api, policy({"expression": "true"}, paramKind=LIMIT), binding())
    refused = await api("POST", MAPS, config_map("m"))
    words = "failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Limit'"
    assert refused.message.endswith(f"ValidatingAdmissionPolicy 'p' denied request: {words}")
    await api.ok("DELETE", f"{GROUP}/validatingadmissionpolicybindings/b")
    await api.core.freshness.consistent()
    await api.ok("POST", MAPS, config_map("m"))


async def test_what_is_excluded_is_not_asked_about(api: Api) -> None:
    excluded = [{**RULE, "resourceNames": ["free"]}]
    constraints = {"resourceRules": [RULE], "excludeResourceRules": excluded}
    await bound(api, policy({"expression": "false"}, matchConstraints=constraints), binding())
    await api.ok("POST", MAPS, config_map("free"))
    assert (await api("POST", MAPS, config_map("bound"))).code == 422
