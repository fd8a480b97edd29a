"""Server-side apply as kubectl does it."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        shutil.which("kubectl") is None or shutil.which("etcd") is None, reason="needs kubectl and etcd"
    ),
]

CONFLICT = "Apply failed with 1 conflict: conflict with {}: .data.a"


def configmap(**data: str) -> str:
    lines = [f"  {key}: {value!r}" for key, value in data.items()]
    return "\n".join(["apiVersion: v1", "kind: ConfigMap", "metadata: {name: c}", "data:", *lines])


def deployment(replicas: int | None) -> str:
    count = f"  replicas: {replicas}\n" if replicas is not None else ""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d}}
spec:
{count}  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec: {{containers: [{{name: c, image: "i:1", ports: [{{containerPort: 80}}]}}]}}
"""


def managers(obj: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (each["manager"], each["operation"], each.get("subresource", "")) for each in obj["metadata"]["managedFields"]
    }


async def apply(apiserver: Any, text: str, *arguments: str) -> Any:
    return await apiserver.kubectl("apply", "--server-side", "-f", "-", *arguments, stdin=text)


async def managed(apiserver: Any, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = await apiserver.object("get", *what, "--show-managed-fields")
    return found


async def test_managers_share_conflict_and_force(apiserver) -> None:
    assert (await apply(apiserver, configmap(a="1"))).out == "configmap/c serverside-applied\n"
    assert (await apply(apiserver, configmap(a="1", b="2"), "--field-manager=other")).code == 0
    refused = await apply(apiserver, configmap(a="2"), "--field-manager=other")
    assert refused.code != 0
    assert CONFLICT.format('"kubectl"') in refused.err
    assert (await apply(apiserver, configmap(a="2"), "--field-manager=other", "--force-conflicts")).code == 0
    found = await managed(apiserver, "configmap", "c")
    assert found["data"] == {"a": "2"}
    assert managers(found) == {("other", "Apply", "")}


async def test_client_side_apply_becomes_server_side_without_a_conflict(apiserver) -> None:
    assert (await apiserver.kubectl("apply", "-f", "-", stdin=deployment(2))).code == 0
    found = await managed(apiserver, "deployment", "d")
    assert managers(found) == {("kubectl-client-side-apply", "Update", "")}
    done = await apply(apiserver, deployment(3))
    assert (done.code, done.err) == (0, "")
    found = await managed(apiserver, "deployment", "d")
    assert found["spec"]["replicas"] == 3
    assert managers(found) == {("kubectl", "Apply", ""), ("kubectl-last-applied", "Apply", "")}
    last = await apiserver.kubectl("apply", "view-last-applied", "deployment/d")
    assert "replicas: 3" in last.out
    again = await apiserver.kubectl("apply", "-f", "-", stdin=deployment(4))
    assert again.out == "deployment.apps/d configured\n"


async def test_a_scaled_deployment_is_in_conflict_until_it_is_let_go(apiserver) -> None:
    assert (await apply(apiserver, deployment(2))).code == 0
    assert (await apiserver.kubectl("scale", "deployment/d", "--replicas=5")).code == 0
    refused = await apply(apiserver, deployment(2))
    assert 'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas' in refused.err
    assert (await apply(apiserver, deployment(None))).code == 0
    found = await managed(apiserver, "deployment", "d")
    assert found["spec"]["replicas"] == 5
    assert ("kubectl", "Update", "scale") in managers(found)


async def test_diff_shows_what_an_apply_would_change_and_changes_nothing(apiserver) -> None:
    assert (await apply(apiserver, configmap(a="1"))).code == 0
    same = await apiserver.kubectl("diff", "--server-side", "-f", "-", stdin=configmap(a="1"))
    assert (same.code, same.out) == (0, "")
    other = await apiserver.kubectl("diff", "--server-side", "-f", "-", stdin=configmap(a="2"))
    assert other.code == 1
    assert '+  a: "2"' in other.out
    assert (await apiserver.object("get", "configmap", "c"))["data"] == {"a": "1"}


async def test_an_edit_takes_what_it_changes(apiserver, monkeypatch) -> None:
    assert (await apply(apiserver, configmap(a="1", b="1"))).code == 0
    monkeypatch.setenv("KUBE_EDITOR", "sed -i 's/a: .*/a: \"9\"/'")
    assert (await apiserver.kubectl("edit", "configmap", "c")).out == "configmap/c edited\n"
    found = await managed(apiserver, "configmap", "c")
    assert found["data"] == {"a": "9", "b": "1"}
    assert managers(found) == {("kubectl", "Apply", ""), ("kubectl-edit", "Update", "")}
    refused = await apply(apiserver, configmap(a="1", b="1"))
    assert CONFLICT.format('"kubectl-edit" using v1') in refused.err


async def test_managers_are_hidden_unless_asked_for(apiserver) -> None:
    assert (await apiserver.kubectl("create", "configmap", "c", "--from-literal=a=1")).code == 0
    assert "managedFields" not in (await apiserver.object("get", "configmap", "c"))["metadata"]
    found = await managed(apiserver, "configmap", "c")
    assert managers(found) == {("kubectl-create", "Update", "")}


async def test_a_field_that_no_schema_has_is_refused(apiserver) -> None:
    refused = await apply(apiserver, configmap(a="1") + "\nfoo: 1\n", "--validate=false")
    assert refused.code != 0
    assert ".foo: field not declared in schema" in refused.err
