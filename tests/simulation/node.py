"""A kubelet: the real one's pods over an imaginary machine.

The pod machine, workers, audit, adoption, status reports and Events are the production code (`kubus_kubelet.pods` and
what stands on it). Podman, processes, sandboxes and probes are made up (`parts`), and last as long as their machine;
the disk is a directory. The Node object and its Lease are kept by a few lines here: what a real node measures is not
there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from tests.simulation.chronicle import HARM
from tests.simulation.machines import Machine
from tests.simulation.parts import SlowPulls, fake_tools

from kubus.bus import Bus
from kubus.client import Client, Why
from kubus.machinery.informer import Informer
from kubus.machinery.recorder import Recorder
from kubus.model.errors import StatusError
from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object, is_deleting, path_of, revision_of, uid_of
from kubus.model.times import rfc3339_micro
from kubus.testing.clock import SimulatedClock
from kubus_kubelet.cluster import ClusterApi
from kubus_kubelet.main import PodFeed, follow
from kubus_kubelet.node_objects import (
    LEASE_NAMESPACE,
    Health,
    lease_object,
    node_object,
    node_status,
)
from kubus_kubelet.node_objects import Machine as Hardware
from kubus_kubelet.pods import Pods
from kubus_kubelet.reports import StatusReports
from kubus_kubelet.states import Decision

CPU_MILLIS = 4000
LEASE_PERIOD_SECONDS = 10.0
LOOK_SECONDS = 5.0
RETRY_SECONDS = 1.0
CRASHING_SHARE = 0.15
FAILING_SHARE = 0.3
_HEALTHY = Health(memory_available_bytes=1 << 33, disk_free_share=0.5, pids_free_share=0.5)


class DisklessPods(Pods):
    """`Pods` whose volumes are left out: mounts are the kernel's, and no part of these stories."""

    def changed(self, pod: Object) -> None:
        """See `Pods.changed`."""
        containers = [{**each, "volumeMounts": []} for each in pod["spec"]["containers"]]
        super().changed({**pod, "spec": {**pod["spec"], "containers": containers, "volumes": []}})


class Kubelet:
    """One run of a node's kubelet; a crash ends it, the machine goes on."""

    def __init__(self, machine: Machine, bus: Bus, client: Client, clock: SimulatedClock, random: Random) -> None:
        self.informer = Informer(bus, client, PODS, node=machine.name)
        self.failing: set[str] = set()
        """Uids of pods whose workers chaos makes raise."""
        self._machine = machine
        self._client = client
        self._clock = clock
        self._node: Object = {}
        self._recorder = Recorder(client, clock, machine.name)
        api = ClusterApi(client, self._recorder, clock, machine.name)
        tools = fake_tools(
            Path(machine.disk.name),
            clock,
            node=machine.name,
            node_ip=machine.address,
            podman=machine.podman,
            addresses=machine.addresses,
            api=api,
            pulls=SlowPulls(random),
        )
        self._reports = StatusReports(api, clock, tools.log)
        self._pods = DisklessPods(tools, self._report)
        machine.unwanted = self._is_unwanted

    async def run(self) -> None:
        """Be a kubelet until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            await self._insist(self._keep_node)
            tasks.create_task(self._look_after_node())
            tasks.create_task(self._renew_lease())
            tasks.create_task(self._recorder.run())
            tasks.create_task(self._reports.run())
            tasks.create_task(self._pods.run())
            await follow(self.informer, PodFeed(self._pods, self._reports), self._pods)

    def crash_some(self, random: Random) -> None:
        """Containers of some pods crash; the kubelet notices at once."""
        for container in list(self._machine.podman.processes):
            if random.random() < CRASHING_SHARE:
                self._machine.podman.end(container, 1)

    def fail_some(self, random: Random) -> None:
        """The workers of some pods raise from now on."""
        self.failing |= {uid for uid in self._pods.workers if random.random() < FAILING_SHARE}

    def _report(self, pod: Object, decision: Decision) -> None:
        if uid_of(pod) in self.failing:
            raise RuntimeError(HARM)
        self._reports.take(pod, decision)

    def _is_unwanted(self, uid: str) -> bool:
        worker = self._pods.workers.get(uid)
        return worker is None or worker.seen.gone or is_deleting(worker.pod)

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
        pod_range = path_of(self._node, "spec", "podCIDR", default="")
        if pod_range:
            self._machine.addresses.set_range(pod_range)
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
