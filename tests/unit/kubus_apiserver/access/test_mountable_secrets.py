"""Secrets that an account does not list, and what mirror pods may not have."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

CORE = "/api/v1/namespaces/default"


def pod(name: str = "p", container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i", **(container or {})}], "serviceAccountName": "strict", **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def variable(secret: str) -> dict[str, Any]:
    return {"env": [{"name": "V", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}]}


def volume(secret: str) -> list[dict[str, Any]]:
    return [{"name": "v", "secret": {"secretName": secret}}]


@pytest.fixture
async def strict(api: Api) -> Api:
    """An account that lets pods use two secrets."""
    metadata = {"name": "strict", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}
    account = {"metadata": metadata, "secrets": [{"name": "own"}], "imagePullSecrets": [{"name": "pull"}]}
    await api.ok("POST", f"{CORE}/serviceaccounts", account)
    return api


END = "is not allowed because service account strict does not reference that"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (pod(volumes=volume("other")), f'volume with secret.secretName="other" {END} secret'),
        (
            pod(container=variable("other")),
            f'container c with envVar V referencing secret.secretName="other" {END} secret',
        ),
        (
            pod(container={"envFrom": [{"secretRef": {"name": "other"}}]}),
            f'container c with envFrom referencing secret.secretName="other" {END} secret',
        ),
        (
            pod(initContainers=[{"name": "j", "image": "i", **variable("other")}]),
            f'init container j with envVar V referencing secret.secretName="other" {END} secret',
        ),
        (pod(imagePullSecrets=[{"name": "own"}]), f'imagePullSecrets[0].name="own" {END} imagePullSecret'),
    ],
)
async def test_a_secret_that_the_account_does_not_list_is_refused(strict: Api, given: Any, words: str) -> None:
    refused = await strict("POST", f"{CORE}/pods", given)
    assert (refused.code, refused.message) == (403, f'pods "p" is forbidden: {words}')


async def test_what_it_lists_and_other_accounts_are_free(strict: Api) -> None:
    free = pod("a", volumes=volume("own"), container=variable("own"), imagePullSecrets=[{"name": "pull"}])
    await strict.ok("POST", f"{CORE}/pods", free)
    await strict.ok("POST", f"{CORE}/pods", pod("b", volumes=volume("other"), serviceAccountName="default"))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"serviceAccountName": "default"}, "service accounts"),
        ({"volumes": volume("own")}, "secrets"),
        ({"container": variable("own")}, "secrets"),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
            "a mirror pod may not use ServiceAccountToken volume projections",
        ),
    ],
)
async def test_a_mirror_pod_has_no_account_and_no_secrets(api: Api, spec: dict[str, Any], words: str) -> None:
    mirror = pod(**{"serviceAccountName": "", "nodeName": "n", **spec})
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    refused = await api("POST", f"{CORE}/pods", mirror)
    expected = words if words.startswith("a mirror") else f"a mirror pod may not reference {words}"
    assert refused.message == f'pods "p" is forbidden: {expected}'
