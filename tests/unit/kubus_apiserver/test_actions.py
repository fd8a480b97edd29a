"""What both doors ask before they act."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus_apiserver.actions import check_served, target_of
from kubus_apiserver.core import Core

MAPS = "/api/v1/namespaces/default/configmaps"
JOBS = "/apis/batch/v1/namespaces/default/jobs"


@pytest.mark.parametrize(
    ("kind", "namespace", "name"),
    [(NODES, "d", "n"), (PODS, "", "p")],
)
def test_a_path_that_names_no_object_is_not_found(kind: Kind, namespace: str, name: str) -> None:
    with pytest.raises(StatusError) as refused:
        target_of(kind, namespace, name, "")
    assert refused.value.code == 404


@pytest.mark.parametrize(
    ("kind", "subresource", "verb", "code"),
    [
        (PODS, "", "get", 0),
        (PODS, "log", "get", 0),
        (PODS, "scale", "get", 404),
        (DEPLOYMENTS, "scale", "get", 0),
        (DEPLOYMENTS, "status", "patch", 0),
        (CONFIG_MAPS, "status", "patch", 404),
        (NAMESPACES, "", "deletecollection", 405),
    ],
)
def test_only_what_a_kind_has_is_served(kind: Kind, subresource: str, verb: str, code: int) -> None:
    target = target_of(kind, "d" if kind.namespaced else "", "x", subresource)
    if not code:
        check_served(target, verb)
        return
    with pytest.raises(StatusError) as refused:
        check_served(target, verb)
    assert refused.value.code == code


class _Busy:
    """Reads of a collection in which another client's writes come after each list."""

    def __init__(self, core: Core, *, comes: str, goes: str) -> None:
        self._api = Api(core)
        self._reads: Any = core.reads
        self._comes, self._goes = comes, goes

    async def list(self, *asked: Any) -> Any:
        """The objects as they are now; others a moment later."""
        listed = await self._reads.list(*asked)
        await self._api("DELETE", f"{MAPS}/{self._goes}")
        await self._api("POST", MAPS, {"metadata": {"name": self._comes}})
        return listed


async def test_a_deleted_collection_is_answered_with_what_was_deleted(core: Core) -> None:
    api = Api(core)
    for name in ("a", "b", "c"):
        await api.ok("POST", MAPS, {"metadata": {"name": name}})
    busy: Any = _Busy(core, comes="d", goes="b")
    done = await Api(replace(core, reads=busy)).ok("DELETE", MAPS)
    assert [each["metadata"]["name"] for each in done["items"]] == ["a", "c"]
    left = await api.ok("GET", MAPS)
    assert [each["metadata"]["name"] for each in left["items"]] == ["d"]


@pytest.mark.parametrize("query", ["", "?propagationPolicy=Orphan", "?propagationPolicy=Background"])
async def test_a_job_deleted_without_a_policy_leaves_its_pods_and_says_so(core: Core, query: str) -> None:
    api = Api(core)
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    await api.ok("POST", JOBS, {"metadata": {"name": "j"}, "spec": {"template": template}})
    reply = await api("DELETE", f"{JOBS}/j{query}")
    warned = [each for each in reply.answer.warnings if "child pods are preserved by default" in each]
    assert len(warned) == (0 if query else 1)
    found = await api("GET", f"{JOBS}/j")
    assert (found.code == 404) == query.endswith("Background")
