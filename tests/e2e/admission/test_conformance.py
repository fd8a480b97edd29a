"""What Kubernetes' conformance descriptions of admission webhooks ask for, one after the other.

https://github.com/kubernetes/kubernetes/blob/master/test/conformance/testdata/conformance.yaml
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from tests.e2e.admission.conftest import Client
from tests.e2e.admission.hooks import GROUP, Hooks, configure, patch, serving

VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps", "pods"]}


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def namespace(client: Client, name: str, **labels: str) -> str:
    """A namespace; the path of its objects."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    await client.ok("POST", "/api/v1/namespaces", body)
    return f"/api/v1/namespaces/{name}"


def unwanted(request: dict[str, Any]) -> dict[str, Any]:
    """Refuses what says that it is unwanted."""
    data = (request["object"] or request["oldObject"]).get("data") or {}
    if data.get("webhook-e2e-test") != "webhook-disallow":
        return {}
    return {"allowed": False, "status": {"reason": "the configmap contains unwanted key and value"}}


async def _denies(client: Client, hooks: Hooks) -> None:
    """Creates, updates and patches are refused, but in namespaces that are let off; rules that change count at once."""
    here, off = await namespace(client, "here"), await namespace(client, "off", **{"skip-webhook-admission": "yes"})
    selector = {"matchExpressions": [{"key": "skip-webhook-admission", "operator": "NotIn", "values": ["yes"]}]}
    hooks.reviewers["deny"] = unwanted
    await configure(client, VALIDATING, hooks.hook("deny", [RULE], namespaceSelector=selector), name="deny")
    bad = configmap("bad", **{"webhook-e2e-test": "webhook-disallow"})
    code, answer = await client("POST", f"{here}/configmaps", bad)
    words = 'admission webhook "deny.example.com" denied the request: the configmap contains unwanted key and value'
    assert (code, answer["message"]) == (400, words)
    await client.ok("POST", f"{off}/configmaps", bad)
    fine = await client.ok("POST", f"{here}/configmaps", configmap("fine", a="1"))
    assert (await client("PUT", f"{here}/configmaps/fine", {**fine, "data": bad["data"]}))[0] == 400
    path = f"{GROUP}/validatingwebhookconfigurations/deny"
    now = await client.ok("GET", path)
    now["webhooks"][0]["rules"][0]["operations"] = ["UPDATE"]
    await client.ok("PUT", path, now)
    await client.ok("POST", f"{here}/configmaps", bad)
    assert (await client("PUT", f"{here}/configmaps/fine", {**fine, "data": bad["data"]}))[0] == 400
    await client.ok("DELETE", path)
    await client.ok("PUT", f"{here}/configmaps/fine", {**fine, "data": bad["data"]})


async def _fails_closed_or_open_in_time(client: Client, hooks: Hooks) -> None:
    """One that hangs, or is not there, refuses or is passed over, after as many seconds as it has."""
    there = await namespace(client, "slow")
    nowhere = {"url": "https://127.0.0.1:1/", "caBundle": hooks.bundle}
    gone = hooks.hook("gone", [RULE], clientConfig=nowhere)
    await configure(client, VALIDATING, gone, name="gone")
    code, answer = await client("POST", f"{there}/configmaps", configmap("a"))
    assert (code, answer["reason"]) == (500, "InternalError")
    words = 'failed calling webhook "gone.example.com": failed to call webhook: Post "https://127.0.0.1:1/?timeout=10s"'
    assert words in answer["message"]
    await client.ok("DELETE", f"{GROUP}/validatingwebhookconfigurations/gone")
    for policy, code in (("Fail", 500), ("Ignore", 201)):
        hang = hooks.hook("hang", [RULE], timeoutSeconds=1, failurePolicy=policy)
        await configure(client, VALIDATING, hang, name="hang")
        before = time.monotonic()
        found, answer = await client("POST", f"{there}/configmaps", configmap(policy.lower()))
        assert found == code
        assert 0.9 < time.monotonic() - before < 3
        assert code == 201 or answer["message"].endswith('/hang?timeout=1s": context deadline exceeded')
        await client.ok("DELETE", f"{GROUP}/validatingwebhookconfigurations/hang")


async def _completes_what_was_changed(client: Client, hooks: Hooks) -> None:
    """A container that a webhook adds gets its defaults and its token, and others see it again."""
    there = await namespace(client, "changed")
    added = {"name": "webhook-added-init-container", "image": "i"}
    hooks.reviewers["add"] = lambda _: patch(("add", "/spec/initContainers", [added]))
    seen = hooks.hook("seen", [RULE], reinvocationPolicy="IfNeeded")
    await configure(client, MUTATING, seen, hooks.hook("add", [RULE]), name="change")
    containers = [{"name": "c", "image": "i"}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}
    hooks.requests.clear()
    made = await client.ok("POST", f"{there}/pods", pod)
    (container,) = made["spec"]["initContainers"]
    assert container["terminationMessagePolicy"] == "File"
    assert container["volumeMounts"][0]["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    there_already = ["initContainers" in each["object"]["spec"] for each in hooks.requests]
    assert there_already == [False, False, True]  # seen, add, and seen again
    await client.ok("DELETE", f"{GROUP}/mutatingwebhookconfigurations/change")


async def _leaves_configurations_alone(client: Client, hooks: Hooks) -> None:
    """Nobody is asked about webhooks and policies themselves."""
    every = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}
    hooks.reviewers["no"] = lambda _: {"allowed": False}
    await configure(client, VALIDATING, hooks.hook("no", [every]), name="no")
    assert (await client("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}}))[0] == 400
    await configure(client, MUTATING, hooks.hook("some", [RULE]), name="some")
    await client.ok("DELETE", f"{GROUP}/mutatingwebhookconfigurations/some")
    definition = {"group": "example.com", "names": {"plural": "foos", "kind": "Foo"}, "scope": "Namespaced"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    body = {"metadata": {"name": "foos.example.com"}, "spec": {**definition, "versions": [version]}}
    code, answer = await client("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
    assert (code, "denied the request without explanation" in answer["message"]) == (400, True)
    await client.ok("DELETE", f"{GROUP}/validatingwebhookconfigurations/no")


async def _is_not_asked_in_a_dry_run_with_side_effects(client: Client) -> None:
    """Side effects that nobody knows are refused in a configuration already."""
    wrong = {
        "name": "s.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "admissionReviewVersions": ["v1"],
    }
    body = {"metadata": {"name": "s"}, "webhooks": [{**wrong, "sideEffects": "Unknown"}]}
    code, answer = await client("POST", f"{GROUP}/validatingwebhookconfigurations", body)
    assert (code, 'supported values: "None", "NoneOnDryRun"' in answer["message"]) == (422, True)


async def test_conformance_of_webhooks(both: tuple[Client, Client], tmp_path: Path) -> None:
    client, end = both[0], asyncio.Event()
    async with serving(tmp_path, hanging=end) as hooks:
        await _denies(client, hooks)
        await _fails_closed_or_open_in_time(client, hooks)
        await _completes_what_was_changed(client, hooks)
        await _leaves_configurations_alone(client, hooks)
        await _is_not_asked_in_a_dry_run_with_side_effects(client)
        end.set()
    metrics = (await client.server.kubectl("get", "--raw", "/metrics")).out
    assert 'apiserver_admission_webhook_fail_open_count{name="hang.example.com",type="validating"} 1.0' in metrics
