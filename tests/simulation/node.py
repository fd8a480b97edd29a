"""The fake kubelet: the contract of the real one over an imaginary machine.

It registers its node, renews its Lease, follows its slice of the pods, starts containers after a while, says Running
and Ready in one write, restarts what crashed, stops what is to be deleted and deletes it for good by grace 0 and uid.
All that it remembers is in memory; what runs is on the machine, and is adopted by the next kubelet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.simulation.machines import Machine, Running

from kubus.bus import Bus
from kubus.client import Client, Why
from kubus.machinery.informer import Informer
from kubus.machinery.reflector import Changed
from kubus.model.errors import StatusError
from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object, is_deleting, name_of, namespace_of, path_of, revision_of, uid_of
from kubus.model.times import Clock, rfc3339, rfc3339_micro
from kubus_kubelet.node_objects import (
    LEASE_NAMESPACE,
    Health,
    lease_object,
    node_object,
    node_status,
)
from kubus_kubelet.node_objects import Machine as Hardware

CPU_MILLIS = 4000
LEASE_PERIOD_SECONDS = 10.0
LOOK_SECONDS = 5.0
START_SECONDS_MAX = 3.0
STOP_SECONDS_MAX = 4.0
RETRY_SECONDS = 1.0
CRASHING_SHARE = 0.15
_HEALTHY = Health(memory_available_bytes=1 << 33, disk_free_share=0.5, pids_free_share=0.5)


class Kubelet:
    """One run of a node's kubelet; a crash ends it, the machine goes on."""

    def __init__(self, machine: Machine, bus: Bus, client: Client, clock: Clock, random: Random) -> None:
        self.informer = Informer(bus, client, PODS, node=machine.name)
        self._machine = machine
        self._client = client
        self._clock = clock
        self._random = random
        self._node: Object = {}
        self._pods: dict[str, Object] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._tasks = asyncio.TaskGroup()

    async def run(self) -> None:
        """Be a kubelet until cancelled."""
        self.informer.on_change(self._heard)
        async with self._tasks as tasks:
            await self._insist(self._keep_node)
            tasks.create_task(self._look_after_node())
            tasks.create_task(self._renew_lease())
            tasks.create_task(self.informer.run())
            await self.informer.synced()
            for uid in list(self._machine.running):
                if uid not in self._pods:
                    self._machine.end(uid, "stopped")  # deleted while nobody looked

    def crash_some(self, random: Random) -> None:
        """Containers of some pods crash; the kubelet notices at once."""
        for uid in [uid for uid in self._machine.running if random.random() < CRASHING_SHARE]:
            self._machine.end(uid, "crashed")
            if uid in self._news:
                self._news[uid].set()

    def _heard(self, changed: Changed) -> None:
        uid = uid_of(changed.object)
        if changed.before is not None and uid_of(changed.before) != uid:
            self._forget(uid_of(changed.before))
        if changed.change == "deleted" or path_of(changed.object, "spec", "nodeName") != self._machine.name:
            self._forget(uid)
            return
        self._pods[uid] = changed.object
        if uid in self._news:
            self._news[uid].set()
        else:
            self._news[uid] = asyncio.Event()
            self._tasks.create_task(self._tend(uid))

    def _forget(self, uid: str) -> None:
        if self._pods.pop(uid, None) is not None:
            self._news[uid].set()

    async def _tend(self, uid: str) -> None:
        """Make a pod true, step by step, until it is gone."""
        await self.informer.synced()
        news = self._news[uid]
        while uid in self._pods:
            news.clear()
            try:
                again = await self._step(uid, self._pods[uid])
            except StatusError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not again:
                await news.wait()
        self._machine.end(uid, "stopped")
        del self._news[uid]

    async def _step(self, uid: str, pod: Object) -> bool:
        """The next thing to do for a pod; False if there is none."""
        if is_deleting(pod):
            grace = min(STOP_SECONDS_MAX, float(pod["metadata"].get("deletionGracePeriodSeconds") or 0))
            await asyncio.sleep(self._random.random() * grace)
            self._machine.end(uid, "stopped")
            await self._finish(pod)
            return False
        running = self._machine.running.get(uid)
        if running is None:
            await asyncio.sleep(self._random.random() * START_SECONDS_MAX)
            pod_range = path_of(self._node, "spec", "podCIDR", default="")
            wanted = self._pods.get(uid)
            if wanted is not None and not is_deleting(wanted) and pod_range:
                self._machine.run(wanted, pod_range)
            return True
        status = self._status(pod, running)
        if all(_says(pod.get("status") or {}, field, value) for field, value in status.items()):
            return False
        patch = {"metadata": {"uid": uid}, "status": status}
        where = (namespace_of(pod), name_of(pod))
        await self._client.patch(
            PODS, *where, patch, patch_type="strategic", subresource="status", why=Why(cause=revision_of(pod))
        )
        return False

    async def _finish(self, pod: Object) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid_of(pod)}}
        why = Why(cause=revision_of(pod))
        try:
            await self._client.delete(PODS, namespace_of(pod), name_of(pod), options=options, why=why)
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    def _status(self, pod: Object, running: Running) -> Object:
        since = rfc3339(running.since)
        conditions = [
            {"type": type_, "status": "True", "lastTransitionTime": since}
            for type_ in ("Initialized", "ContainersReady", "Ready")
        ]
        containers = [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": running.attempt,
                "state": {"running": {"startedAt": since}},
            }
            for container in pod["spec"]["containers"]
        ]
        return {
            "phase": "Running",
            "podIP": running.address,
            "hostIP": self._machine.address,
            "conditions": conditions,
            "containerStatuses": containers,
        }

    async def _look_after_node(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._insist(self._keep_node)

    async def _insist(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
                return
            except StatusError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _keep_node(self) -> None:
        name = self._machine.name
        hardware = _hardware(self._machine)
        try:
            self._node = await self._client.get(NODES, "", name)
        except StatusError as error:
            if error.code != 404:
                raise
            self._node = await self._client.create(NODES, node_object(name, hardware))
        status = node_status(self._node, hardware, _HEALTHY, (), self._clock.now())
        if _says_of_node(self._node) == [(each["type"], each["status"]) for each in status["conditions"]]:
            return
        why = Why(cause=revision_of(self._node))
        self._node = await self._client.patch(
            NODES, "", name, {"status": status}, patch_type="strategic", subresource="status", why=why
        )

    async def _renew_lease(self) -> None:
        while True:
            await self._insist(self._renew_once)
            await asyncio.sleep(LEASE_PERIOD_SECONDS)

    async def _renew_once(self) -> None:
        spec = {"holderIdentity": self._machine.name, "renewTime": rfc3339_micro(self._clock.now())}
        try:
            await self._client.patch(LEASES, LEASE_NAMESPACE, self._machine.name, {"spec": spec})
        except StatusError as error:
            if error.code != 404:
                raise
            await self._client.create(LEASES, lease_object(self._node, self._clock.now()))


def _says(status: Object, field: str, value: object) -> bool:
    """Whether a status says this already; of conditions others may have added their own."""
    if field != "conditions":
        return bool(status.get(field) == value)
    there = {each["type"]: each for each in status.get(field) or ()}
    return isinstance(value, list) and all(there.get(each["type"]) == each for each in value)


def _says_of_node(node: Object) -> list[tuple[str, str]]:
    return [(each["type"], each["status"]) for each in path_of(node, "status", "conditions", default=())]


def _hardware(machine: Machine) -> Hardware:
    return Hardware(
        hostname=machine.name,
        address=machine.address,
        cpu_millis=CPU_MILLIS,
        memory_bytes=16 << 30,
        max_pods=110,
        architecture="amd64",
        kernel="6.1",
        os_image="imaginary",
        machine_id=machine.name,
        boot_id="1",
        runtime="imaginary://1",
    )
