"""Default roles come back complete, and what people decided stays."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_apiserver.access.policy_sync import completed, is_left_alone, sync_policy
from kubus_apiserver.bootstrap import OPTIONS, SELF

ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


async def test_a_second_start_writes_nothing(api: Any) -> None:
    await api.core.freshness.consistent()
    assert await sync_policy(api.core, SELF, OPTIONS) == 0


async def test_what_was_taken_away_comes_back(api: Any) -> None:
    await api.ok("DELETE", f"{ROLES}/system:discovery")
    role = await api.ok("GET", f"{ROLES}/system:basic-user")
    await api.ok("PUT", f"{ROLES}/system:basic-user", {**role, "rules": role["rules"][:1]})
    await sync_policy(api.core, SELF, OPTIONS)
    assert (await api.ok("GET", f"{ROLES}/system:basic-user"))["rules"] == role["rules"]
    assert (await api.ok("GET", f"{ROLES}/system:discovery"))["rules"]


async def test_a_binding_to_another_role_is_made_anew(api: Any) -> None:
    there = await api.ok("GET", f"{BINDINGS}/system:discovery")
    await api.ok("DELETE", f"{BINDINGS}/system:discovery")
    other = {"metadata": {"name": "system:discovery"}, "roleRef": {**there["roleRef"], "name": "view"}, "subjects": []}
    await api.ok("POST", BINDINGS, other)
    await api.core.freshness.consistent()
    await sync_policy(api.core, SELF, OPTIONS)
    assert (await api.ok("GET", f"{BINDINGS}/system:discovery"))["roleRef"]["name"] == "system:discovery"


async def test_what_is_marked_stays_as_it_is(api: Any) -> None:
    role = await api.ok("GET", f"{ROLES}/system:basic-user")
    role["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"] = "false"
    await api.ok("PUT", f"{ROLES}/system:basic-user", {**role, "rules": []})
    await api.core.freshness.consistent()
    assert await sync_policy(api.core, SELF, OPTIONS) == 0


@pytest.mark.parametrize(
    ("there", "wanted", "made"),
    [
        (
            {"rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]},
            {"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]},
            None,
        ),
        (
            {"subjects": [{"kind": "User", "name": "a"}]},
            {"subjects": [{"kind": "User", "name": "b"}]},
            {"subjects": [{"kind": "User", "name": "a"}, {"kind": "User", "name": "b"}]},
        ),
        ({}, {"aggregationRule": {"clusterRoleSelectors": [{}]}}, {"aggregationRule": {"clusterRoleSelectors": [{}]}}),
    ],
)
def test_only_what_is_lacking_is_added(there: Any, wanted: Any, made: Any) -> None:
    metadata = {"metadata": {"name": "x", "labels": {}, "annotations": {}}}
    assert completed({**metadata, **there}, {**metadata, **wanted}) == {**metadata, **(there if made is None else made)}
    assert not is_left_alone({**metadata})
