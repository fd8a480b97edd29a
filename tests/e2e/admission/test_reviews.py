"""What webhooks are asked about: every way in which something is written, connected to or deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.e2e.admission.conftest import Client
from tests.e2e.admission.hooks import configure, patch, serving

CORE = "/api/v1/namespaces/default"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
EVERYTHING = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}]
Seen = tuple[str, str, str, bool, bool]


def pod(name: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def seen(request: dict[str, Any]) -> Seen:
    """(operation, resource, kind, whether there is an object, and an old one)."""
    resource = request["resource"]["resource"]
    if request.get("subResource"):
        resource = f"{resource}/{request['subResource']}"
    there = request["object"] is not None, request["oldObject"] is not None
    return request["operation"], resource, request["kind"]["kind"], *there


async def _everything(client: Client) -> None:
    """One of each."""
    for name in ("a", "b", "c"):
        await client.ok("POST", f"{CORE}/pods", pod(name))
    target = {"apiVersion": "v1", "kind": "Node", "name": "n"}
    await client.ok("POST", f"{CORE}/pods/a/binding", {"metadata": {"name": "a"}, "target": target})
    made = await client.ok("GET", f"{CORE}/pods/a")
    made["status"]["phase"] = "Running"
    await client.ok("PUT", f"{CORE}/pods/a/status", made)
    debugger = {"name": "d", "image": "i"}
    now = await client.ok("GET", f"{CORE}/pods/a")
    now["spec"]["ephemeralContainers"] = [debugger]
    await client.ok("PUT", f"{CORE}/pods/a/ephemeralcontainers", now)
    now = await client.ok("GET", f"{CORE}/pods/a")
    now["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "2"
    await client.ok("PUT", f"{CORE}/pods/a/resize", now)
    await client.ok("POST", f"{CORE}/pods/b/eviction", {"metadata": {"name": "b"}})
    await client("POST", f"{CORE}/pods/a/exec?command=ls&stdout=true")
    await client("POST", f"{CORE}/pods/a/attach?stdout=true")
    await client.ok("DELETE", f"{CORE}/pods")
    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    await client.ok("POST", f"{CORE}/serviceaccounts", {"metadata": {"name": "me"}})
    await client("POST", f"{CORE}/serviceaccounts/me/token", token)


EXPECTED: set[Seen] = {
    ("CREATE", "pods", "Pod", True, False),
    ("CREATE", "pods/binding", "Binding", True, False),
    ("UPDATE", "pods/status", "Pod", True, True),
    ("UPDATE", "pods/ephemeralcontainers", "Pod", True, True),
    ("UPDATE", "pods/resize", "Pod", True, True),
    ("CREATE", "pods/eviction", "Eviction", True, False),
    ("CONNECT", "pods/exec", "PodExecOptions", True, False),
    ("CONNECT", "pods/attach", "PodAttachOptions", True, False),
    ("DELETE", "pods", "Pod", False, True),
    ("CREATE", "serviceaccounts", "ServiceAccount", True, False),
    ("CREATE", "serviceaccounts/token", "TokenRequest", True, False),
}


async def test_every_operation_is_reviewed_as_what_it_is(both: tuple[Client, Client], tmp_path: Path) -> None:
    client = both[0]
    async with serving(tmp_path) as hooks:
        await configure(client, "ValidatingWebhookConfiguration", hooks.hook("all", EVERYTHING))
        await _everything(client)
        found = [seen(each) for each in hooks.requests]
        assert set(found) == EXPECTED
        deleted = [each["name"] for each in hooks.requests if each["operation"] == "DELETE"]
        assert sorted(deleted) == ["a", "c"]
        await client.ok("POST", f"{CORE}/configmaps?dryRun=All", {"metadata": {"name": "m"}})
        assert hooks.requests[-1]["dryRun"] is True
        assert hooks.requests[-1]["options"]["dryRun"] == ["All"]


async def test_attaching_scaling_and_evicting_are_refused_and_changed(
    both: tuple[Client, Client], tmp_path: Path
) -> None:
    client = both[0]
    apps = "/apis/apps/v1/namespaces/default/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await client.ok("POST", apps, {"metadata": {"name": "d"}, "spec": spec})
    await client.ok("POST", f"{CORE}/pods", pod("p"))
    rules = [{**EVERYTHING[0], "resources": ["pods/attach", "pods/eviction"]}]
    scales = [{**EVERYTHING[0], "resources": ["deployments/scale"]}]
    async with serving(tmp_path) as hooks:
        hooks.reviewers["deny"] = lambda _: {
            "allowed": False,
            "status": {"code": 403, "message": "no", "reason": "Forbidden"},
            "warnings": ["mind the pod"],
        }
        hooks.reviewers["more"] = lambda _: patch(("replace", "/spec/replicas", 7))
        await configure(client, "ValidatingWebhookConfiguration", hooks.hook("deny", rules))
        await configure(client, "MutatingWebhookConfiguration", hooks.hook("more", scales))
        refused = await client.server.kubectl("attach", "p")
        assert 'admission webhook "deny.example.com" denied the request: no' in refused.err
        code, answer = await client("POST", f"{CORE}/pods/p/eviction", {"metadata": {"name": "p"}})
        assert (code, answer["reason"]) == (403, "Forbidden")
        evicting = await client.server.kubectl("create", "--raw", f"{CORE}/pods/p/eviction", "-f", "-", stdin="{}")
        assert "Warning: mind the pod" in evicting.err
        scale = {"metadata": {"name": "d"}, "spec": {"replicas": 2}}
        assert (await client.ok("PUT", f"{apps}/d/scale", scale))["spec"]["replicas"] == 7
        assert hooks.requests[-1]["oldObject"]["spec"] == {"replicas": 1}


def _definition(**schema: Any) -> dict[str, Any]:
    properties = {"data": {"type": "object", "properties": schema}}
    version = {"served": True, "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}}}
    versions = [{"name": "v1", "storage": True, **version}, {"name": "v2", "storage": False, **version}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"plural": "things", "kind": "Thing"},
            "scope": "Namespaced",
            "versions": versions,
        },
    }


async def test_custom_objects_are_pruned_and_defaulted_after_a_webhook_whatever_the_version(
    both: tuple[Client, Client], tmp_path: Path
) -> None:
    client, text = both[0], {"type": "string"}
    await client.ok("POST", DEFINITIONS, _definition(start=text, first=text, given={**text, "default": "D"}))
    things = "/apis/example.com/{}/namespaces/default/things"
    async with asyncio.timeout(90):
        while (await client("GET", things.format("v1")))[0] != 200:
            await asyncio.sleep(0.05)
    rule = {"apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["things"]}
    async with serving(tmp_path) as hooks:
        for name in ("first", "second"):
            hooks.reviewers[name] = lambda _, field=name: patch(("add", f"/data/{field}", "yes"))
        both_hooks = [hooks.hook(name, [rule]) for name in ("first", "second")]
        await configure(client, "MutatingWebhookConfiguration", *both_hooks)
        made = await client.ok("POST", things.format("v1"), {"metadata": {"name": "a"}, "data": {"start": "yes"}})
        assert made["data"] == {"start": "yes", "first": "yes", "given": "D"}
        other = await client.ok("POST", things.format("v2"), {"metadata": {"name": "b"}, "data": {"start": "yes"}})
        assert (other["apiVersion"], other["data"]["first"]) == ("example.com/v2", "yes")
        request = hooks.requests[-1]
        assert (request["kind"]["version"], request["requestKind"]["version"]) == ("v1", "v2")
        assert request["object"]["apiVersion"] == "example.com/v1"
        definition = await client.ok("GET", f"{DEFINITIONS}/things.example.com")
        for version in definition["spec"]["versions"]:
            version["storage"] = version["name"] == "v2"
        await client.ok("PUT", f"{DEFINITIONS}/things.example.com", definition)
        made["data"] = {"start": "again"}
        changed = await client.ok("PUT", f"{things.format('v1')}/a", made)
        assert changed["data"] == {"start": "again", "first": "yes", "given": "D"}
