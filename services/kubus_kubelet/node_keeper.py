"""The node's own objects, kept: registration, status, Lease, and the pod range it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kubus.client import Client, Why
from kubus.model.errors import StatusError
from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.objects import Object, labels_of, path_of, revision_of
from kubus.model.times import Clock, rfc3339_micro
from kubus.service.logs import Logger
from kubus_kubelet.node_objects import (
    LEASE_NAMESPACE,
    Health,
    Machine,
    lease_object,
    node_labels,
    node_object,
    node_status,
    without_times,
)

LEASE_PERIOD_SECONDS = 10.0
LOOK_SECONDS = 10.0
LOOK_SECONDS_MIN = 0.05
HEARTBEAT_SECONDS = 300.0
IMAGES_MAX = 50
NO_RANGE = "container runtime network not ready: the node has no pod range (spec.podCIDR) yet"


class NodeKeeper:
    """Keeps the Node object of one kubelet."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        log: Logger,
        *,
        machine: Machine,
        health: Callable[[str], Awaitable[Health]],
        images: Callable[[], Awaitable[list[dict[str, Any]]]],
    ) -> None:
        """Keep the Node of a machine.

        `health` says how the machine fares, given why it is not ready ("" if it is); `images` what images it has.
        """
        self._client = client
        self._clock = clock
        self._log = log
        self._machine = machine
        self.ready = asyncio.Event()
        """Set once the API has it that the node is Ready."""
        self._health = health
        self._images = images
        self._seen_images: list[dict[str, Any]] = []
        self._node: Object = {}
        self._said: Object = {}
        self._said_at = 0.0

    async def run(self, ranged: Callable[[str], None]) -> None:
        """Register and keep; `ranged` is called with the pod range as soon as there is one."""
        async with asyncio.TaskGroup() as tasks:
            await self._insist(self._register)
            tasks.create_task(self._renew())
            told, pause = "", LOOK_SECONDS_MIN
            while True:
                given = str(path_of(self._node, "spec", "podCIDR", default=""))
                if given and given != told:
                    told = given
                    ranged(given)
                await self._insist(self._report)
                pause = LOOK_SECONDS if told else min(pause * 1.5, LOOK_SECONDS)
                await asyncio.sleep(pause)
                await self._insist(self._register)

    async def _insist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it until the API has taken it."""
        while True:
            try:
                await work()
                return
            except StatusError as error:
                self._log.warning("node object not written", error=error.message)
            except Exception:  # what the disk, Podman or one image says of itself: the node's pods go on
                self._log.exception("node object not written")
            await asyncio.sleep(1)

    async def _register(self) -> None:
        name = self._machine.hostname
        try:
            self._node = await self._client.get(NODES, "", name)
        except StatusError as error:
            if error.code != 404:
                raise
            self._node = await self._client.create(NODES, node_object(name, self._machine))
            self._said = {}
            self._log.info("registered", node=name)
        wanted = node_labels(self._machine)
        if any(labels_of(self._node).get(key) != value for key, value in wanted.items()):
            patch = {"metadata": {"labels": wanted}}
            self._node = await self._client.patch(NODES, "", name, patch, why=self._why())

    async def _report(self) -> None:
        not_ready = "" if path_of(self._node, "spec", "podCIDR", default="") else NO_RANGE
        health = await self._health(not_ready)
        late = not self._said or self._clock.monotonic() - self._said_at >= HEARTBEAT_SECONDS
        if late:
            await self._look_at_images()
        status = node_status(self._node, self._machine, health, self._seen_images, self._clock.now())
        if not late and without_times(status) == without_times(self._said) and self._undisturbed():
            return
        name = self._machine.hostname
        self._node = await self._client.patch(
            NODES, "", name, {"status": status}, patch_type="strategic", subresource="status", why=self._why()
        )
        self._said, self._said_at = status, self._clock.monotonic()
        if not not_ready:
            self.ready.set()

    async def _look_at_images(self) -> None:
        sized: list[tuple[int, dict[str, Any]]] = []
        for each in await self._images():
            try:
                sized.append((int(each.get("Size") or 0), each))
            except (AttributeError, TypeError, ValueError):
                self._log.warning("image left out of the node's status", image=str(each)[:200])
        sized.sort(key=lambda found: -found[0])
        self._seen_images = [image for _, image in sized[:IMAGES_MAX]]

    def _undisturbed(self) -> bool:
        """Whether nobody else has changed what this kubelet said of Ready, as the node controller does."""
        there = {each["type"]: each["status"] for each in path_of(self._node, "status", "conditions", default=[])}
        return all(there.get(each["type"]) == each["status"] for each in self._said["conditions"])

    async def _renew(self) -> None:
        while True:
            try:
                await self._renew_once()
            except StatusError as error:
                self._log.warning("lease not renewed", error=error.message)
                await asyncio.sleep(1)
                continue
            except Exception:  # a node without a Lease loses all its pods
                self._log.exception("lease not renewed")
                await asyncio.sleep(1)
                continue
            await asyncio.sleep(LEASE_PERIOD_SECONDS)

    async def _renew_once(self) -> None:
        name = self._machine.hostname
        spec = {"holderIdentity": name, "renewTime": rfc3339_micro(self._clock.now())}
        try:
            await self._client.patch(LEASES, LEASE_NAMESPACE, name, {"spec": spec})
        except StatusError as error:
            if error.code != 404:
                raise
            await self._client.create(LEASES, lease_object(self._node, self._clock.now()))

    def _why(self) -> Why:
        return Why(cause=revision_of(self._node) or None)
