"""Every kind through its API: discovered, made, read, listed, watched, changed, its status apart, and deleted."""

from __future__ import annotations

import uuid

import pytest
from tests.e2e.cluster.conftest import eventually
from tests.e2e.conformance.conftest import Api
from tests.e2e.conformance.kinds import APIS
from tests.e2e.conformance.kinds import Api as Kind

pytestmark = pytest.mark.e2e
VERBS = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}


@pytest.fixture(scope="module")
def shared_namespace(api: Api) -> str:
    """One namespace for all of them."""
    name = f"c-{uuid.uuid4().hex[:8]}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    eventually(lambda: api.call("GET", f"/api/v1/namespaces/{name}/serviceaccounts/default").code == 200)
    return name


@pytest.mark.parametrize("kind", APIS, ids=lambda kind: f"{kind.resource}.{kind.group or 'core'}")
def test_discovery_tells_of_it(api: Api, kind: Kind) -> None:
    if kind.group:
        groups = {each["name"]: each for each in api.get("/apis")["groups"]}
        assert kind.api_version in [each["groupVersion"] for each in groups[kind.group]["versions"]]
        assert kind.api_version in [each["groupVersion"] for each in api.get(f"/apis/{kind.group}")["versions"]]
    found = {each["name"]: each for each in api.get(kind.root)["resources"]}
    wanted = VERBS - {"deletecollection"} if kind.resource == "namespaces" else VERBS
    assert set(found[kind.resource]["verbs"]) == wanted
    assert found[kind.resource]["namespaced"] is kind.namespaced
    assert (f"{kind.resource}/status" in found) is (kind.status is not None or kind.resource == "resourcequotas"), (
        sorted(found)
    )
    if kind.status is not None:
        assert set(found[f"{kind.resource}/status"]["verbs"]) == {"get", "patch", "update"}


@pytest.mark.parametrize("kind", APIS, ids=lambda kind: f"{kind.resource}.{kind.group or 'core'}")
def test_it_is_made_read_watched_changed_and_deleted(api: Api, shared_namespace: str, kind: Kind) -> None:
    run = f"r{uuid.uuid4().hex[:8]}"
    path, mine = kind.path(shared_namespace), {"labelSelector": f"e2e-run={run}"}
    first, second, third = (f"{run}-{each}{kind.suffix}" for each in "abc")
    one = f"{path}/{first}"
    made = api.create(path, kind.object(f"{run}-a", run, shared_namespace))
    assert made["metadata"]["uid"] and made["metadata"]["resourceVersion"] and made["metadata"]["creationTimestamp"]
    assert api.get(one)["metadata"]["uid"] == made["metadata"]["uid"]
    start = made["metadata"]["resourceVersion"]
    with api.watch(path, **mine, resourceVersion=start) as events:
        _changed(api, kind, one, events, run)
        api.create(path, kind.object(f"{run}-b", run, shared_namespace))
        api.create(path, kind.object(f"{run}-c", run, shared_namespace))
        assert sorted(each["metadata"]["name"] for each in api.get(path, **mine)["items"]) == [first, second, third]
        everywhere = api.get(f"{kind.root}/{kind.resource}", **mine)
        assert (everywhere["kind"], len(everywhere["items"])) == (f"{kind.kind}List", 3)
        api.ok("DELETE", one)
        eventually(lambda: api.call("GET", one).code == 404, what=f"the end of {one}")
        assert events.next("DELETED")["metadata"]["name"] == first
        if kind.resource == "namespaces":
            assert api.call("DELETE", path, **mine).code == 405
            for each in (second, third):
                api.ok("DELETE", f"{path}/{each}")
        else:
            api.ok("DELETE", path, **mine)
        eventually(lambda: not api.get(path, **mine)["items"], what="the end of the rest")
        assert {events.next("DELETED")["metadata"]["name"] for _ in range(2)} == {second, third}


def _changed(api: Api, kind: Kind, one: str, events, run: str) -> None:
    def bears(note: str):
        return lambda found: note in (found["metadata"].get("annotations") or {})

    patched = api.patch(one, {"metadata": {"annotations": {"patched": "true"}}})
    assert patched["metadata"]["annotations"]["patched"] == "true"
    events.until("MODIFIED", bears("patched"))

    updated = api.update(one, lambda found: found["metadata"].setdefault("annotations", {}).update(updated="true"))
    assert updated["metadata"]["annotations"]["updated"] == "true"
    events.until("MODIFIED", bears("updated"))
    assert api.refused(409, "PUT", one, {**updated, "metadata": {**updated["metadata"], "resourceVersion": "1"}})
    if kind.status is not None:
        _status_changed(api, kind, one, events)


def _status_changed(api: Api, kind: Kind, one: str, events) -> None:
    (field, value), *_ = kind.status.items()
    assert api.get(f"{one}/status")["metadata"]["name"]

    def holds(found) -> bool:
        seen = (found.get("status") or {}).get(field)
        if field == "conditions":
            return value[0]["type"] in [each["type"] for each in seen or ()]
        return seen == value or (isinstance(value, dict) and bool(seen))

    spec = api.get(one).get("spec")
    patched = api.patch(
        f"{one}/status", {"metadata": {"annotations": {"on-status": "1"}}, "spec": {"x": 1}, "status": kind.status}
    )
    assert holds(patched), patched["status"]
    assert patched["metadata"]["annotations"]["on-status"] == "1"
    assert patched.get("spec") == spec
    events.until("MODIFIED", holds)

    updated = api.update(
        f"{one}/status", lambda found: found.update(status={**(found.get("status") or {}), **kind.status})
    )
    assert holds(updated), updated
