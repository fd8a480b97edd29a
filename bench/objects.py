"""The objects that benchmarks create, and creating many of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from kubus.client import Client
from kubus.model.kinds import Kind
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.objects import Object

ZONE = "topology.kubernetes.io/zone"
T = TypeVar("T")
HOST = "kubernetes.io/hostname"
AT_ONCE = 128


def make_node(number: int) -> Object:
    """A node of 32 cores in one of three zones."""
    labels = {HOST: f"node-{number}", ZONE: f"zone-{number % 3}"}
    resources = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "labels": labels},
        "status": {"allocatable": resources, "capacity": resources},
    }


def make_pod(number: int, spec: dict[str, Any], namespace: str = "default", *, app: str = "bench") -> Object:
    """A pod that asks for a tenth of a core."""
    requests = {"cpu": "100m", "memory": "500Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{app}-{number}", "namespace": namespace, "labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": "pause", "resources": {"requests": requests}}], **spec},
    }


async def create_all(client: Client, kind: Kind, objects: list[Object]) -> None:
    """Create them, many at once."""
    await many(lambda obj: client.create(kind, obj), objects)


async def create_nodes(client: Client, count: int) -> None:
    """Create nodes on which pods may be put: no kubelet and no controller is there to take off a new node's taint."""

    async def create(number: int) -> None:
        made = await client.create(NODES, make_node(number))
        if made["spec"].get("taints"):
            await client.patch(NODES, "", made["metadata"]["name"], {"spec": {"taints": None}})

    await many(create, range(count))


async def many(work: Callable[[T], Awaitable[Any]], values: Iterable[T]) -> None:
    """Do it for each, many at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(value: T) -> None:
        async with room:
            await work(value)

    async with asyncio.TaskGroup() as tasks:
        for value in values:
            tasks.create_task(one(value))
