"""The parts of a node, put together: Podman's service, the doors, and the pods."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from kubus.model.objects import Object
from kubus.model.times import Clock
from kubus.service.logs import Logger
from kubus.service.netns import NodeNamespace
from kubus_kubelet import machine
from kubus_kubelet.blocking import run_in_thread
from kubus_kubelet.engine import Engine
from kubus_kubelet.exits import ProcessExits
from kubus_kubelet.handlers import Handlers
from kubus_kubelet.image_pulls import ImagePulls
from kubus_kubelet.node_tools import NodeTools, PodApi
from kubus_kubelet.pod_addresses import PodAddresses
from kubus_kubelet.podman import Images
from kubus_kubelet.podman_service import PodmanService
from kubus_kubelet.pods import Pods
from kubus_kubelet.sandbox import Sandboxes
from kubus_kubelet.settings import KubeletSettings, NodePaths
from kubus_kubelet.states import Decision


@dataclass
class NodeParts:
    """Everything of a node but its object in the API."""

    tools: NodeTools
    service: PodmanService
    namespace: NodeNamespace
    pods: Pods

    @classmethod
    def of(
        cls,
        settings: KubeletSettings,
        api: PodApi,
        clock: Clock,
        log: Logger,
        report: Callable[[Object, Decision], None],
    ) -> NodeParts:
        """The parts of the node that the settings describe."""
        paths = NodePaths.of(settings)
        engine = Engine(paths.podman_socket)
        namespace = NodeNamespace(settings.node_netns)
        tools = NodeTools(
            settings=settings,
            paths=paths,
            clock=clock,
            log=log,
            engine=engine,
            pulls=ImagePulls(engine, Images(paths.podman_socket)),
            addresses=PodAddresses(Sandboxes(settings.node_netns)),
            exits=ProcessExits(paths),
            blocking=run_in_thread,
            handlers=Handlers(namespace),
            namespace=namespace,
            api=api,
            cpu_millis=settings.cpu_millis or machine.cpu_millis(),
            memory_bytes=settings.memory_bytes or machine.memory_bytes(),
        )
        return cls(tools, PodmanService(settings, paths, log), namespace, Pods(tools, report))

    async def start(self) -> None:
        """Start Podman's service; returns when it answers.

        Raises:
            OSError: it does not.
        """
        await self.service.start()

    async def run(self) -> None:
        """Run pods for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.service.keep_running())
            tasks.create_task(self.pods.run())

    async def aclose(self) -> None:
        """Let go; containers run on."""
        await self.service.stop()
        await self.tools.engine.aclose()
        self.namespace.close()
