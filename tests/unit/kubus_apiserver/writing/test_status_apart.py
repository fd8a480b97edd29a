"""A write of the spec never changes a status, a write of the status never a spec: of every kind."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.conformance.kinds import APIS

from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.schema import load_schemas
from kubus_apiserver.writing.strategy import carry_over

KINDS = [kind for kind in builtin_kinds() if kind.status]
WITH_STATUS = [
    api._replace(body={"spec": {**api.body["spec"], "type": "LoadBalancer"}}) if api.resource == "services" else api
    for api in APIS
    if api.status is not None and api.resource != "customresourcedefinitions"  # a controller here writes their status
]


def of_kind(kind: Any, mark: str) -> dict[str, Any]:
    """An object in which every field of its kind is another one than with another mark."""
    fields = load_schemas().fields(kind.schema).keys() - {"apiVersion", "kind", "metadata"}
    metadata = {"name": "x", "uid": "u"}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **{f: {mark: f} for f in fields}}


def without(obj: dict[str, Any], *fields: str) -> dict[str, Any]:
    """The object without fields."""
    return {key: value for key, value in obj.items() if key not in ("metadata", *fields)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.resource)
def test_what_a_write_is_not_about_is_put_back(kind: Any) -> None:
    old, new = of_kind(kind, "old"), of_kind(kind, "new")
    written = carry_over(kind, dict(new), old, subresource="")
    assert written["status"] == old["status"] and without(written, "status") == without(new, "status")
    judged = carry_over(kind, dict(new), old, subresource="status")
    assert judged["status"] == new["status"] and without(judged, "status") == without(old, "status")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.resource)
def test_a_write_gives_no_status_to_what_has_none(kind: Any) -> None:
    old = without(of_kind(kind, "old"), "status") | {"metadata": {"name": "x", "uid": "u"}}
    assert "status" not in carry_over(kind, of_kind(kind, "new"), old, subresource="")


@pytest.mark.parametrize("case", WITH_STATUS, ids=lambda case: f"{case.resource}.{case.group}")
@pytest.mark.parametrize("merge", [True, False], ids=["patch", "update"])
async def test_over_the_api(api: Any, case: Any, merge: bool) -> None:
    path = case.path("default")
    made = await api.ok("POST", path, case.object("x", "run", "default"))
    name = made["metadata"]["name"]
    found = await api.ok(
        "PATCH", f"{path}/{name}/status", {"status": case.status}, content_type="application/merge-patch+json"
    )

    async def write(subresource: str, **fields: Any) -> Any:
        now = await api.ok("GET", f"{path}/{name}")
        if merge:
            type_ = "application/merge-patch+json"
            return await api.ok("PATCH", f"{path}/{name}{subresource}", fields, content_type=type_)
        return await api.ok("PUT", f"{path}/{name}{subresource}", {**now, **fields})

    assert found["status"]
    same = {key: found[key] for key in found if key not in ("metadata", "status")}
    labelled = {**found["metadata"], "labels": {"written": "yes"}} if not merge else {"labels": {"written": "yes"}}
    labelled.pop("resourceVersion", None)
    after = await write("", metadata=labelled, status={})
    assert after["status"] == found["status"] and after["metadata"]["labels"]["written"] == "yes"
    spec_lost = await write("/status", spec=None if merge else {}, status=case.status)
    assert {key: spec_lost.get(key) for key in same} == same
