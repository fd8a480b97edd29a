"""HTTP and bus: whoever asks through either door is let in or refused alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from kubus.bus.memory import MemoryBus
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.service.logs import Logger
from kubus_apiserver.access.authentication import user_of_identity
from kubus_apiserver.core import Core
from kubus_apiserver.doors.busdoor import BusDoor

RBAC = "/apis/rbac.authorization.k8s.io/v1"
WHO = "system:somebody"
COLLECTIONS = ["pods.core", "secrets.core", "deployments.apps", "nodes.core"]
VERBS = ["get", "list", "delete"]
NAMES = ["a", "b"]


@pytest.fixture
async def client(core: Core) -> AsyncIterator[BusClient]:
    bus = MemoryBus()
    served = await BusDoor(core, Logger("test")).serve(bus)
    yield BusClient(MemoryBus(bus.broker, WHO), WHO, patience_seconds=0)
    await served.aclose()
    await bus.aclose()


def rules(random: Random) -> list[dict[str, Any]]:
    """A few rights: on some kinds, some by name."""
    made = []
    for _ in range(random.randint(1, 4)):
        resource, _, group = random.choice(COLLECTIONS).partition(".")
        rule = {
            "verbs": random.sample(VERBS, random.randint(1, 3)),
            "apiGroups": ["" if group == "core" else group],
            "resources": [resource],
        }
        made.append(rule | ({"resourceNames": [random.choice(NAMES)]} if random.random() < 0.5 else {}))
    return made


async def through_http(api: Any, kind: Any, verb: str, namespace: str, name: str, selector: str) -> bool:
    root = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
    path = f"{root}/namespaces/{namespace}/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
    path += f"/{name}" if verb in ("get", "delete") else ""
    method = "DELETE" if verb == "delete" else "GET"
    reply = await api(method, f"{path}?fieldSelector={selector}" if selector else path)
    return reply.code != 403


async def through_bus(client: BusClient, kind: Any, verb: str, namespace: str, name: str, selector: str) -> bool:
    where = namespace if kind.namespaced else ""
    try:
        match verb:
            case "get":
                await client.get(kind, where, name)
            case "list":
                await client.list(kind, where, field_selector=selector)
            case _:
                await client.delete(kind, where, name)
    except StatusError as error:
        return error.code != 403
    return True


@pytest.mark.parametrize("seed", range(4))
async def test_both_doors_decide_alike(api: Any, core: Core, client: BusClient, seed: int) -> None:
    random = Random(seed)
    await api.ok("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "r"}, "rules": rules(random)})
    grant = {
        "metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": WHO}],
    }
    await api.ok("POST", f"{RBAC}/clusterrolebindings", grant)
    api.user = user_of_identity(WHO)
    seen = set()
    for _ in range(60):
        kind, verb, name = core.registry[random.choice(COLLECTIONS)], random.choice(VERBS), random.choice(NAMES)
        selector = f"metadata.name={name}" if verb == "list" and random.random() < 0.6 else ""
        asked = (kind, verb, "default", name, selector)
        allowed = await through_http(api, *asked)
        assert await through_bus(client, *asked) is allowed, f"seed {seed}: {asked}"
        seen.add(allowed)
    assert seen == {True, False}


async def test_a_name_in_the_field_selector_counts_as_the_name(api: Any) -> None:
    rule = {"verbs": ["list", "watch"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"]}
    await api.ok("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "r"}, "rules": [rule]})
    grant = {
        "metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": WHO}],
    }
    await api.ok("POST", f"{RBAC}/clusterrolebindings", grant)
    api.user = user_of_identity(WHO)
    secrets = "/api/v1/namespaces/default/secrets"
    for selector, code in (
        ("metadata.name=mine", 200),
        ("metadata.name=mine,type=Opaque", 200),
        ("metadata.name=other", 403),
        ("metadata.name!=mine", 403),
        ("", 403),
    ):
        assert (await api("GET", f"{secrets}?fieldSelector={selector}")).code == code, selector
