"""The kubelet process: one node's pods, from the bus to Podman.

informer on the node's slice → Pods (a worker each) → StatusReports → API
NodeKeeper: the Node object, its Lease, and the pod range it is given
Streams: logs, exec and attach on sessions over the bus
"""

from __future__ import annotations

import asyncio

from kubus.bus.sessions import serve_sessions
from kubus.machinery.informer import Informer
from kubus.machinery.recorder import Recorder
from kubus.machinery.reflector import Changed
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object, uid_of
from kubus.service import run
from kubus.service.context import Context
from kubus.service.figures import publish_quarantined
from kubus_kubelet import machine
from kubus_kubelet.cluster import ClusterApi
from kubus_kubelet.node_keeper import NodeKeeper
from kubus_kubelet.node_parts import NodeParts
from kubus_kubelet.podman import Images
from kubus_kubelet.podman_service import podman_version
from kubus_kubelet.pods import Pods
from kubus_kubelet.questions import Questions
from kubus_kubelet.reports import StatusReports
from kubus_kubelet.settings import KubeletSettings, NodePaths
from kubus_kubelet.streams import Streams


class PodFeed:
    """From the informer's changes to the workers. A pod that was replaced under its name has another uid."""

    def __init__(self, pods: Pods, reports: StatusReports) -> None:
        self._pods = pods
        self._reports = reports

    def take(self, changed: Changed) -> None:
        """One change of the node's slice."""
        before = changed.before
        if changed.change == "deleted" or (before is not None and uid_of(before) != uid_of(changed.object)):
            gone = uid_of(before if before is not None else changed.object)
            self._pods.deleted(gone)
            self._reports.forget(gone)
        if changed.change != "deleted":
            self._pods.changed(changed.object)

    def settle(self, objects: list[Object]) -> None:
        """The first listing is complete."""
        self._pods.settle({uid_of(each) for each in objects})


async def serve(context: Context) -> None:
    """Run a node until told to stop; its containers run on."""
    settings = context.read(KubeletSettings)
    paths = NodePaths.of(settings)
    bus = await context.bus()
    client = context.client(bus)
    recorder = Recorder(client, context.clock, settings.node_name)
    api = ClusterApi(client, recorder, context.clock, settings.node_name)
    reports = StatusReports(api, context.clock, context.log)
    parts = NodeParts.of(settings, api, context.clock, context.log, reports.take)
    await parts.start()
    keeper = NodeKeeper(
        client,
        context.clock,
        context.log,
        machine=machine.describe(settings, paths, f"podman://{await podman_version()}"),
        health=lambda not_ready: asyncio.to_thread(machine.health, paths, not_ready),
        images=Images(paths.podman_socket).all,
    )
    informer = Informer(bus, client, PODS, node=settings.node_name)
    publish_quarantined(context.metrics, lambda: len(informer.quarantined))
    feed = PodFeed(parts.pods, reports)
    streams = Streams(parts.tools, parts.pods, Questions(parts.pods, context.metrics))
    sessions = await serve_sessions(bus, settings.node_name, streams.accept)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(parts.run()),
                tasks.create_task(reports.run()),
                tasks.create_task(recorder.run()),
                tasks.create_task(keeper.run(parts.tools.addresses.set_range)),
                tasks.create_task(follow(informer, feed, parts.pods)),
            ]
            running.append(tasks.create_task(_say_ready(context, informer, keeper)))
            await context.stop.wait()
            for task in running:
                task.cancel()
    finally:
        await sessions.aclose()
        await parts.aclose()
        await bus.aclose()


async def _say_ready(context: Context, informer: Informer, keeper: NodeKeeper) -> None:
    await informer.synced()
    await keeper.ready.wait()
    context.ready()


async def follow(informer: Informer, feed: PodFeed, pods: Pods) -> None:
    """Feed the pods with the node's slice for ever, once what an earlier kubelet left is adopted."""
    await pods.adopted()
    informer.on_change(feed.take)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informer.run())
        await informer.synced()
        feed.settle(list(informer.cache))


def main() -> int:
    """The process's exit code."""
    return run("kubelet", serve)
