"""A quota is exact, however many ask at once at however many apiservers."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from tests.e2e.admission.conftest import Client

NAMESPACE = "/api/v1/namespaces/default"


def pod(name: str) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "100m"}}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


async def with_quota(clients: tuple[Client, Client], **hard: str) -> None:
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}}
    made = await clients[0].ok("POST", f"{NAMESPACE}/resourcequotas", {**body, "spec": {"hard": hard}})
    made["status"] = {"hard": hard, "used": dict.fromkeys(hard, "0")}
    await clients[0].ok("PUT", f"{NAMESPACE}/resourcequotas/q/status", made)
    for client in clients:
        async with asyncio.timeout(90):
            while "used" not in (await client.until(f"{NAMESPACE}/resourcequotas/q")).get("status", {}):
                await asyncio.sleep(0.02)


async def used(client: Client) -> dict[str, str]:
    return (await client.ok("GET", f"{NAMESPACE}/resourcequotas/q"))["status"]["used"]


async def test_a_quota_of_ten_pods_under_fifty_creates_at_two_servers_admits_exactly_ten(
    both: tuple[Client, Client],
) -> None:
    await with_quota(both, pods="10", **{"requests.cpu": "5"})
    answers = await asyncio.gather(
        *(both[number % 2]("POST", f"{NAMESPACE}/pods", pod(f"p{number}")) for number in range(50))
    )
    assert Counter(code for code, _ in answers) == {201: 10, 403: 40}
    words = next(body["message"] for code, body in answers if code == 403)
    assert words.endswith("is forbidden: exceeded quota: q, requested: pods=1, used: pods=10, limited: pods=10")
    there = (await both[0].ok("GET", f"{NAMESPACE}/pods"))["items"]
    assert len(there) == 10
    assert await used(both[1]) == {"pods": "10", "requests.cpu": "1"}


async def test_what_goes_or_fails_is_given_back(both: tuple[Client, Client]) -> None:
    await with_quota(both, pods="10", **{"requests.cpu": "5"})
    names = [f"p{number}" for number in range(10)]
    await asyncio.gather(*(both[0].ok("POST", f"{NAMESPACE}/pods", pod(name)) for name in names))
    refused = await asyncio.gather(*(both[1]("POST", f"{NAMESPACE}/pods", pod(name)) for name in names[:3]))
    assert all(code in (403, 409) for code, _ in refused)
    await asyncio.gather(*(both[1].ok("DELETE", f"{NAMESPACE}/pods/{name}") for name in names[:4]))
    assert await used(both[0]) == {"pods": "6", "requests.cpu": "600m"}
    again = await asyncio.gather(*(both[0]("POST", f"{NAMESPACE}/pods", pod(names[9])) for _ in range(8)))
    assert {code for code, _ in again} == {409} or {code for code, _ in again} == {403, 409}
    assert await used(both[0]) == {"pods": "6", "requests.cpu": "600m"}
