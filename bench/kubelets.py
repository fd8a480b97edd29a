"""Simulated nodes: kubelets without containers, many in one process.

Each node registers, keeps a Lease, hears its own slice of the bus, and says of every pod that is bound to it that it is
Running and Ready, in one write, as a real kubelet does with a warm image. A pod that is being deleted it lets go.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bench.children import Parent, run
from bench.http_client import tls
from bench.objects import make_node
from kubus.bus import Bus, Message
from kubus.bus.nats import connect
from kubus.bus.subjects import node_collection_subject
from kubus.bus.wire import decode_event
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object
from kubus.model.times import rfc3339, rfc3339_micro
from kubus_cli.processes import pss_bytes

IDENTITY = "kubernetes-admin"
LEASE_NAMESPACE = "kube-node-lease"
HEARTBEAT_SECONDS = 10.0


def running(pod: Object, address: str) -> Object:
    """The status of a pod all of whose containers run."""
    now = rfc3339(datetime.now(UTC))
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": now}
        for kind in ("Initialized", "ContainersReady", "Ready")
    ]
    containers = [
        {
            "name": each["name"],
            "image": each["image"],
            "imageID": each["image"],
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": now}},
        }
        for each in pod["spec"]["containers"]
    ]
    before = (pod.get("status") or {}).get("conditions") or []
    others = [each for each in before if each["type"] == "PodScheduled"]
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "hostIP": "127.0.0.1",
        "startTime": now,
        "conditions": [*conditions, *others],
        "containerStatuses": containers,
    }


class Node:
    """One simulated kubelet."""

    def __init__(self, number: int, bus: Bus, client: BusClient) -> None:
        self._number = number
        self._name = f"node-{number}"
        self._bus = bus
        self._client = client
        self._pods = 0

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Register, then live."""
        await self.register()
        tasks.create_task(self._beat())
        tasks.create_task(self._hear(tasks))

    async def register(self) -> None:
        """Be a node that is Ready, for as long as a Lease lasts."""
        made = await self._client.create(NODES, make_node(self._number))
        now = rfc3339(datetime.now(UTC))
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
        status = {**made["status"], "conditions": [{**ready, "lastTransitionTime": now}]}
        await self._client.patch(NODES, "", self._name, {"status": status}, subresource="status")
        await self._client.create(LEASES, self._lease())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with suppress(StatusError):
                await self._client.update(LEASES, self._lease())

    def _lease(self) -> Object:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": LEASE_NAMESPACE, "name": self._name},
            "spec": {
                "holderIdentity": self._name,
                "leaseDurationSeconds": 40,
                "renewTime": rfc3339_micro(datetime.now(UTC)),
            },
        }

    async def _hear(self, tasks: asyncio.TaskGroup) -> None:
        subscription = await self._bus.subscribe(node_collection_subject(self._name, "pods.core"))
        while True:
            for message in await subscription.next_batch():
                if isinstance(message, Message):
                    event = decode_event(message.data)
                    if event.change != "deleted":
                        tasks.create_task(self._take(event.object))

    async def _take(self, pod: Object) -> None:
        metadata = pod["metadata"]
        where = metadata["namespace"], metadata["name"]
        with suppress(StatusError):
            if metadata.get("deletionTimestamp"):
                await self._client.delete(PODS, *where, options={"gracePeriodSeconds": 0})
            elif (pod.get("status") or {}).get("phase") != "Running":
                self._pods += 1
                address = f"10.{128 + (self._number >> 8)}.{self._number & 255}.{self._pods & 255}"
                change = {"metadata": {"uid": metadata["uid"]}, "status": running(pod, address)}
                await self._client.patch(PODS, *where, change, patch_type="strategic", subresource="status")


class _Ended(Exception):
    """The parent said stop."""


async def main(spec: dict[str, Any], parent: Parent) -> dict[str, Any]:
    """Be so many nodes until told to stop."""
    bus = await connect(f"tls://127.0.0.1:{spec['nats']}", identity=IDENTITY, tls=tls(spec))
    client = BusClient(bus, IDENTITY, manager="kubelet")
    before = pss_bytes(os.getpid())
    try:
        async with asyncio.TaskGroup() as tasks:
            for number in range(spec["nodes"]):
                await Node(number, bus, client).run(tasks)
            await parent.started()
            await parent.stopped()
            after = pss_bytes(os.getpid())
            raise _Ended
    except* _Ended:
        pass
    return {"before": before, "after": after}


if __name__ == "__main__":
    run(main)
