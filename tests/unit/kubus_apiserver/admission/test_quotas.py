"""Quotas are charged before a write and given back as far as it does not happen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

from kubus.model.errors import StatusError, timeout
from kubus.model.kinds.pods import KIND as PODS
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.quotas import Quotas
from kubus_apiserver.calls import User

NAMESPACE = "/api/v1/namespaces/default"
QUOTA = f"{NAMESPACE}/resourcequotas/q"


def pod(name: str, **requests: str) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "resources": {"requests": requests}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


async def limited(api: Api, *, counted: bool = True, scopes: list[str] | None = None, **hard: str) -> None:
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}}
    spec: dict[str, Any] = {"hard": hard, **({"scopes": scopes} if scopes else {})}
    made = await api.ok("POST", f"{NAMESPACE}/resourcequotas", {**body, "spec": spec})
    if counted:
        made["status"] = {"hard": hard, "used": dict.fromkeys(hard, "0")}
        await api.ok("PUT", f"{QUOTA}/status", made)
    await api.core.freshness.consistent()


async def used(api: Api) -> dict[str, str]:
    return (await api.ok("GET", QUOTA))["status"]["used"]


async def test_fifty_creates_at_once_fill_a_quota_of_ten_exactly(api: Api) -> None:
    await limited(api, pods="10")
    answers = await asyncio.gather(*(api("POST", f"{NAMESPACE}/pods", pod(f"p{number}")) for number in range(50)))
    assert sorted(each.code for each in answers) == [201] * 10 + [403] * 40
    words = "exceeded quota: q, requested: pods=1, used: pods=10, limited: pods=10"
    refused = [each for each in answers if each.code == 403]
    assert all(each.message.endswith(words) for each in refused)
    assert await used(api) == {"pods": "10"}


async def test_what_is_deleted_finished_or_refused_takes_nothing(api: Api) -> None:
    await limited(api, pods="5", **{"requests.cpu": "1"})
    for name in ("a", "b", "c"):
        await api.ok("POST", f"{NAMESPACE}/pods", pod(name, cpu="100m"))
    assert await used(api) == {"pods": "3", "requests.cpu": "300m"}
    assert (await api("POST", f"{NAMESPACE}/pods", pod("a", cpu="100m"))).code == 409
    await api.ok("DELETE", f"{NAMESPACE}/pods/a")
    assert await used(api) == {"pods": "2", "requests.cpu": "200m"}
    done = await api.ok("GET", f"{NAMESPACE}/pods/b")
    await api.ok("PUT", f"{NAMESPACE}/pods/b/status", {**done, "status": {"phase": "Succeeded"}})
    assert await used(api) == {"pods": "1", "requests.cpu": "100m"}
    await api.ok("DELETE", f"{NAMESPACE}/pods/b")
    assert await used(api) == {"pods": "1", "requests.cpu": "100m"}


async def test_a_dry_run_is_refused_alike_and_charges_nothing(api: Api) -> None:
    await limited(api, pods="1")
    await api.ok("POST", f"{NAMESPACE}/pods?dryRun=All", pod("a"))
    assert await used(api) == {"pods": "0"}
    await api.ok("POST", f"{NAMESPACE}/pods", pod("a"))
    await api.core.freshness.consistent()
    assert (await api("POST", f"{NAMESPACE}/pods?dryRun=All", pod("b"))).code == 403


async def test_who_does_not_say_or_whom_nobody_has_counted_is_refused(api: Api) -> None:
    await limited(api, counted=False, **{"requests.cpu": "1", "limits.memory": "1Gi"})
    refused = await api("POST", f"{NAMESPACE}/pods", pod("a"))
    words = "failed quota: q: must specify limits.memory for: c; requests.cpu for: c"
    assert refused.message == f'pods "a" is forbidden: {words}'
    both = pod("a", cpu="1")
    both["spec"]["containers"][0]["resources"]["limits"] = {"memory": "1Gi"}
    refused = await api("POST", f"{NAMESPACE}/pods", both)
    assert refused.message.endswith("status unknown for quota: q, resources: limits.memory,requests.cpu")


async def test_a_service_that_becomes_one_with_node_ports_is_charged_for_them(api: Api) -> None:
    await limited(api, **{"services.nodeports": "1", "count/services": "2"})
    ports = [{"name": "a", "port": 80}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}
    await api.ok("POST", f"{NAMESPACE}/services", service)
    assert await used(api) == {"services.nodeports": "0", "count/services": "1"}
    merge = {"content_type": "application/merge-patch+json"}
    await api.ok("PATCH", f"{NAMESPACE}/services/s", {"spec": {"type": "NodePort"}}, **merge)
    assert await used(api) == {"services.nodeports": "1", "count/services": "1"}
    more = {"spec": {"ports": [*ports, {"name": "b", "port": 81}]}}
    await api.core.freshness.consistent()
    refused = await api("PATCH", f"{NAMESPACE}/services/s", more, **merge)
    words = (
        "exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1"
    )
    assert words in refused.message
    await api.ok("DELETE", f"{NAMESPACE}/services/s")
    assert await used(api) == {"services.nodeports": "0", "count/services": "0"}


async def test_scopes_choose_who_is_charged(api: Api) -> None:
    await limited(api, scopes=["NotBestEffort"], pods="1")
    await api.ok("POST", f"{NAMESPACE}/pods", pod("free"))
    assert await used(api) == {"pods": "0"}
    await api.ok("POST", f"{NAMESPACE}/pods", pod("a", cpu="1"))
    await api.core.freshness.consistent()
    assert (await api("POST", f"{NAMESPACE}/pods", pod("b", cpu="1"))).code == 403


@pytest.mark.parametrize(
    ("error", "left"),
    [(StatusError(409, "AlreadyExists", "x"), "0"), (timeout("nobody knows"), "1"), (RuntimeError("crash"), "1")],
)
async def test_what_may_have_happened_stays_charged(api: Api, error: Exception, left: str) -> None:
    await limited(api, pods="5")
    quotas = Quotas(api.core.store, api.core.cache, api.core.clock)
    obj = {**pod("a"), "metadata": {"name": "a", "namespace": "default"}}
    with pytest.raises(type(error)):
        async with quotas.charged(Proposal(User("u"), "create", PODS, "", obj, None)):
            raise error
    assert await used(api) == {"pods": left}
