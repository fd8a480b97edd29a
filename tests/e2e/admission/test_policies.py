"""CEL in front of kubectl: what policies refuse and change, and which rules a definition may state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
from tests.e2e.admission.conftest import Client
from tests.e2e.apiserver.conftest import running_apiserver

from kubus.testing.etcd_server import etcd_server

GROUP = "/apis/admissionregistration.k8s.io/v1"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _policy(kind: str, name: str, resource: str, **spec: Any) -> dict[str, Any]:
    group, _, plural = resource.rpartition("/")
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [plural]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"matchConstraints": {"resourceRules": [rule]}, **spec},
    }


async def _bound(client: Client, policy: dict[str, Any], **spec: Any) -> None:
    kind, name = policy["kind"], policy["metadata"]["name"]
    plural = f"{kind.lower().removesuffix('policy')}policies"
    binding = {**policy, "kind": f"{kind}Binding", "spec": {"policyName": name, **spec}}
    await client.ok("POST", f"{GROUP}/{plural}", policy)
    await client.ok("POST", f"{GROUP}/{kind.lower()}bindings", binding)


async def test_cel_in_front_of_kubectl(tmp_path: Path) -> None:
    """One apiserver for all: to start it takes longer than to ask it."""
    async with (
        etcd_server() as etcd,
        running_apiserver(tmp_path, etcd.endpoint) as server,
        aiohttp.ClientSession() as session,
    ):
        client = Client(server, session)
        await client.until("/api/v1/namespaces/default")
        await _what_a_policy_does_not_allow_kubectl_is_told(client)
        await _a_policy_puts_a_container_into_pods(client)
        await _a_definition_whose_rules_are_wrong_or_too_costly_is_refused(client)


async def _what_a_policy_does_not_allow_kubectl_is_told(client: Client) -> None:
    validation = {
        "expression": "variables.replicas <= int(params.data.most)",
        "messageExpression": "'at most ' + params.data.most + ', not ' + string(variables.replicas)",
        "reason": "Forbidden",
    }
    policy = _policy(
        "ValidatingAdmissionPolicy",
        "few",
        "apps/deployments",
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        variables=[{"name": "replicas", "expression": "object.spec.replicas"}],
        validations=[validation, {"expression": "authorizer.requestResource.check('create').allowed()"}],
    )
    await client.ok("POST", "/api/v1/namespaces/default/configmaps", _limits("2"))
    reference = {"name": "limits", "parameterNotFoundAction": "Deny"}
    await _bound(client, policy, validationActions=["Deny"], paramRef=reference)
    kubectl = client.server.kubectl
    assert (await kubectl("create", "deployment", "two", "--image=i", "--replicas=2")).code == 0
    refused = await kubectl("create", "deployment", "three", "--image=i", "--replicas=3")
    words = "ValidatingAdmissionPolicy 'few' with binding 'few' denied request: at most 2, not 3"
    assert f'deployments.apps "three" is forbidden: {words}' in refused.err


def _limits(most: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limits"}, "data": {"most": most}}


async def _a_policy_puts_a_container_into_pods(client: Client) -> None:
    side = 'Object.spec.containers{name: "side", image: "proxy"}'
    mutations = [
        {
            "patchType": "ApplyConfiguration",
            "applyConfiguration": {"expression": f"Object{{spec: Object.spec{{containers: [{side}]}}}}"},
        },
        {
            "patchType": "JSONPatch",
            "jsonPatch": {
                "expression": "[JSONPatch{op: 'add', value: 'c', "
                "path: '/metadata/labels/' + jsonpatch.escapeKey('a/b')}]"
            },
        },
    ]
    policy = _policy("MutatingAdmissionPolicy", "side", "pods", mutations=mutations, reinvocationPolicy="Never")
    await _bound(client, policy)
    shown = ("-o", "jsonpath={.spec.containers[*].name} {.metadata.labels}")
    made = await client.server.kubectl("run", "p", "--image=i", *shown)
    names, _, labels = made.out.rpartition(" ")
    assert names == "p side"
    assert json.loads(labels) == {"run": "p", "a/b": "c"}


async def _a_definition_whose_rules_are_wrong_or_too_costly_is_refused(client: Client) -> None:
    for rule, words in (
        ("self.spec.absent > 1", "undefined field 'absent'"),
        ("self.spec.size > 'a'", "found no matching overload for '_>_' applied to '(int, string)'"),
        ("self.spec.size =", "Syntax error"),
        ("self.spec.names.all(a, self.spec.names.all(b, a != b))", "estimated rule cost exceeds budget by factor of"),
    ):
        code, answer = await client("POST", DEFINITIONS, _definition(rule))
        assert code == 422
        assert words in answer["message"]
    await client.ok("POST", DEFINITIONS, _definition("!has(self.spec.at) || self.spec.at.getFullYear() > 2000"))


def _definition(rule: str) -> dict[str, Any]:
    properties = {
        "size": {"type": "integer"},
        "names": {"type": "array", "items": {"type": "string"}},
        "at": {"type": "string", "format": "date-time"},
    }
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": properties}},
        "required": ["spec"],
        "x-kubernetes-validations": [{"rule": rule}],
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "ruled", "kind": "Ruled"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "ruled.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }
