"""Webhooks over real HTTPS, in front of kubectl."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.admission.conftest import Client
from tests.e2e.admission.hooks import configure, patch, serving

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}


def _review(asked: dict[str, Any]) -> dict[str, Any]:
    if "bad" in (asked["object"].get("data") or {}):
        return {"allowed": False, "status": {"message": "bad is bad"}, "warnings": ["think again"]}
    return {}


async def test_webhooks_change_and_refuse_what_kubectl_creates(both: tuple[Client, Client], tmp_path: Path) -> None:
    client = both[0]
    kubectl = client.server.kubectl
    async with serving(tmp_path) as hooks:
        hooks.reviewers["mutate"] = lambda _: patch(("add", "/metadata/labels", {"seen": "yes"}))
        hooks.reviewers["validate"] = _review
        await configure(client, "MutatingWebhookConfiguration", hooks.hook("mutate", [RULE]))
        await configure(client, "ValidatingWebhookConfiguration", hooks.hook("validate", [RULE]))
        made = await kubectl("create", "configmap", "good", "--from-literal=a=1", "-o", "jsonpath={.metadata.labels}")
        assert made.out == '{"seen":"yes"}'
        refused = await kubectl("create", "configmap", "wrong", "--from-literal=bad=1")
        assert refused.code == 1
        assert 'admission webhook "validate.example.com" denied the request: bad is bad' in refused.err
        dry = await kubectl("create", "configmap", "dry", "--dry-run=server", "-o", "jsonpath={.metadata.labels.seen}")
        assert dry.out == "yes"
    gone = await kubectl("create", "configmap", "late")
    assert 'failed calling webhook "mutate.example.com"' in gone.err


async def test_a_redirect_is_a_failure(both: tuple[Client, Client], tmp_path: Path) -> None:
    async with serving(tmp_path) as hooks:
        await configure(both[0], "ValidatingWebhookConfiguration", hooks.hook("elsewhere", [RULE]))
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}
        code, answer = await both[0]("POST", "/api/v1/namespaces/default/configmaps", body)
        assert code == 500
        assert "status 302" in answer["message"]


async def test_webhooks_hear_of_questions_and_see_what_is_new_before_it_has_a_name(
    both: tuple[Client, Client], tmp_path: Path
) -> None:
    client = both[0]
    async with serving(tmp_path) as hooks:
        await configure(client, "MutatingWebhookConfiguration", hooks.hook("mutate", [RULE]))
        everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}
        await configure(client, "ValidatingWebhookConfiguration", hooks.hook("validate", [everything]))
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "m-"}}
        made = (await client.ok("POST", "/api/v1/namespaces/default/configmaps", body))["metadata"]
        early, late = hooks.requests
        assert early["name"] == "" and not {"name", "uid"} & set(early["object"]["metadata"])
        assert late["name"] == made["name"] and late["object"]["metadata"]["uid"] == made["uid"]
        hooks.requests.clear()
        await client.ok("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
        assert [each["kind"]["kind"] for each in hooks.requests] == ["SelfSubjectReview"]
