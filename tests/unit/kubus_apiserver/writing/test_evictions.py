"""Which pods may be evicted, and what an eviction leaves behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api, Reply

from kubus.model import protobuf_writing as protobuf
from kubus.model.objects import Object
from kubus.model.protobuf_fields import tables

PODS = "/api/v1/namespaces/default/pods"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."


async def pod(api: Api, name: str = "p", phase: str = "Running", ready: bool = True) -> None:
    container = {"name": "c", "image": "i"}
    spec = {"nodeName": "n", "containers": [container]}
    await api.ok("POST", PODS, {"metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec})
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"status": {"phase": phase, "conditions": conditions}}
    await api.ok("PATCH", f"{PODS}/{name}/status", status, content_type="application/merge-patch+json")


async def budget(api: Api, name: str = "b", *, seen: bool = True, spec: Object | None = None, **status: Any) -> None:
    selector = {"matchLabels": {"app": "web"}}
    body = {"metadata": {"name": name}, "spec": {"minAvailable": 1, "selector": selector, **(spec or {})}}
    await api.ok("POST", BUDGETS, body)
    counts = {"observedGeneration": int(seen), "disruptionsAllowed": 0, "desiredHealthy": 1, **status}
    patch = {"status": counts}
    await api.ok("PATCH", f"{BUDGETS}/{name}/status", patch, content_type="application/merge-patch+json")


async def evict(api: Api, name: str = "p", query: str = "", **options: Any) -> Reply:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, "deleteOptions": options}
    return await api("POST", f"{PODS}/{name}/eviction{query}", body)


async def is_leaving(api: Api, name: str = "p") -> bool:
    found = await api("GET", f"{PODS}/{name}")
    return found.code == 404 or "deletionTimestamp" in found.body["metadata"]


async def test_without_a_budget_a_pod_is_deleted_and_told_why(api: Api) -> None:
    await pod(api)
    reply = await evict(api)
    assert (reply.code, reply.body["kind"], reply.body["status"]) == (201, "Status", "Success")
    found = await api.ok("GET", f"{PODS}/p")
    assert found["metadata"]["deletionTimestamp"]
    (condition,) = [each for each in found["status"]["conditions"] if each["type"] == "DisruptionTarget"]
    assert (condition["status"], condition["reason"]) == ("True", "EvictionByEvictionAPI")


async def test_an_eviction_of_the_former_version_is_taken_in_either_form(api: Api) -> None:
    former = {"apiVersion": "policy/v1beta1", "kind": "Eviction"}
    metadata, options = {"name": "p"}, {"gracePeriodSeconds": 7}
    message = protobuf.message(tables().message_of("policy/v1", "Eviction"), {"deleteOptions": options})
    forms: list[tuple[Any, str]] = [
        ({**former, "metadata": metadata, "deleteOptions": options}, "application/json"),
        (
            protobuf.enveloped(former["apiVersion"], former["kind"], message),
            "application/vnd.kubernetes.protobuf",
        ),
    ]
    for name, (body, content_type) in zip(("p", "q"), forms, strict=True):
        await pod(api, name)
        reply = await api("POST", f"{PODS}/{name}/eviction", body, content_type=content_type)
        assert reply.code == 201, reply.body
        assert (await api.ok("GET", f"{PODS}/{name}"))["metadata"]["deletionGracePeriodSeconds"] == 7


async def test_a_budget_that_allows_it_is_taken_down_and_notes_the_pod(api: Api) -> None:
    await pod(api)
    await budget(api, disruptionsAllowed=1, expectedPods=2, currentHealthy=2)
    assert (await evict(api)).code == 201
    status = (await api.ok("GET", f"{BUDGETS}/b"))["status"]
    assert status["disruptionsAllowed"] == 0
    assert list(status["disruptedPods"]) == ["p"]
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "DisruptionAllowed",
        "False",
        "InsufficientPods",
    )


async def test_a_budget_that_allows_none_says_what_it_needs(api: Api) -> None:
    await pod(api)
    await budget(api, currentHealthy=1)
    reply = await evict(api)
    assert (reply.code, reply.body["reason"], reply.message) == (429, "TooManyRequests", VIOLATED)
    message = "The disruption budget b needs 1 healthy pods and has 1 currently"
    assert reply.body["details"] == {"causes": [{"reason": "DisruptionBudget", "message": message}]}
    assert reply.answer.retry_after_seconds == 0
    assert not await is_leaving(api)


async def test_a_budget_that_the_controller_has_not_seen_yet_asks_to_come_again(api: Api) -> None:
    await pod(api)
    await budget(api, seen=False, disruptionsAllowed=1)
    reply = await evict(api)
    assert (reply.code, reply.answer.retry_after_seconds) == (429, 10)
    (cause,) = reply.body["details"]["causes"]
    assert cause["message"] == "The disruption budget b is still being processed by the server."


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"disruptionsAllowed": -1}, "pdb disruptions allowed is negative"),
        (
            {"disruptionsAllowed": 1, "disruptedPods": {f"p{n}": "2026-01-01T00:00:00Z" for n in range(2001)}},
            "DisruptedPods map too big",
        ),
    ],
)
async def test_a_budget_that_makes_no_sense_lets_nobody_go(api: Api, status: Object, words: str) -> None:
    await pod(api)
    await budget(api, **status)
    reply = await evict(api)
    assert reply.code == 403
    assert words in reply.message


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
async def test_a_pod_that_does_no_work_needs_no_leave(api: Api, phase: str) -> None:
    await pod(api, phase=phase)
    await budget(api)
    assert (await evict(api)).code == 201
    assert await is_leaving(api)


@pytest.mark.parametrize(
    ("spec", "status", "code"),
    [
        ({}, {"currentHealthy": 1}, 201),
        ({}, {"currentHealthy": 0}, 429),
        ({}, {"currentHealthy": 0, "desiredHealthy": 0}, 429),
        ({"unhealthyPodEvictionPolicy": "IfHealthyBudget"}, {"currentHealthy": 0}, 429),
        ({"unhealthyPodEvictionPolicy": "AlwaysAllow"}, {"currentHealthy": 0}, 201),
    ],
)
async def test_an_unready_pod_goes_if_the_budget_holds_without_it_or_does_not_mind(
    api: Api, spec: Object, status: Object, code: int
) -> None:
    await pod(api, ready=False)
    await budget(api, spec=spec, **status)
    assert (await evict(api)).code == code
    after = (await api.ok("GET", f"{BUDGETS}/b"))["status"]
    assert after["disruptionsAllowed"] == 0
    assert "disruptedPods" not in after


async def test_two_budgets_are_one_too_many(api: Api) -> None:
    await pod(api)
    for name in ("b", "c"):
        await budget(api, name, disruptionsAllowed=1)
    reply = await evict(api)
    assert (reply.code, reply.message.startswith("This pod has more than one PodDisruptionBudget")) == (500, True)


@pytest.mark.parametrize(("query", "options"), [("?dryRun=All", {}), ("", {"dryRun": ["All"]})])
async def test_a_dry_run_asks_and_takes_nothing(api: Api, query: str, options: Object) -> None:
    await pod(api)
    await budget(api, disruptionsAllowed=1)
    assert (await evict(api, query=query, **options)).code == 201
    assert (await api.ok("GET", f"{BUDGETS}/b"))["status"]["disruptionsAllowed"] == 1
    assert not await is_leaving(api)
    await api.ok(
        "PATCH",
        f"{BUDGETS}/b/status",
        {"status": {"disruptionsAllowed": 0}},
        content_type="application/merge-patch+json",
    )
    assert (await evict(api, query=query, **options)).code == 429


async def test_another_pod_of_the_name_is_not_evicted_and_costs_nothing(api: Api) -> None:
    await pod(api)
    await budget(api, disruptionsAllowed=1)
    reply = await evict(api, preconditions={"uid": "another"})
    assert (reply.code, reply.body["reason"]) == (409, "Conflict")
    assert (await api.ok("GET", f"{BUDGETS}/b"))["status"]["disruptionsAllowed"] == 1


async def test_evictions_at_once_never_take_more_than_is_allowed(api: Api) -> None:
    for number in range(6):
        await pod(api, f"p{number}")
    await budget(api, disruptionsAllowed=2)
    codes = [reply.code for reply in await asyncio.gather(*(evict(api, f"p{n}") for n in range(6)))]
    assert sorted(codes) == [201, 201, 429, 429, 429, 429]
    assert len((await api.ok("GET", f"{BUDGETS}/b"))["status"]["disruptedPods"]) == 2
