"""The probes of one pod's running containers: a task for each, and what they say together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kubus.model.objects import Object
from kubus_kubelet.handlers import Handlers
from kubus_kubelet.probes import KINDS, ProbeKind, Streak, after, failed_for_good, initial, verdict
from kubus_kubelet.states import ContainerSeen, ProbeVerdict


class _Probed:
    """One container under probes."""

    def __init__(self, container: Object, found: ContainerSeen, reported: Object) -> None:
        self.container = container
        self.id = found.id
        self.name = found.name
        self.failed = ""
        self.started = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        adopted = {"startup": bool(reported.get("started")), "readiness": bool(reported.get("ready"))}
        self.streaks: dict[ProbeKind, Streak] = {
            kind: initial(kind, adopted=adopted.get(kind, False)) for kind in KINDS if container.get(f"{kind}Probe")
        }
        if "startup" not in self.streaks or self.streaks["startup"].holds:
            self.started.set()


class Probing:
    """Probes containers until they are stopped; tells when a verdict changed, and of every failure."""

    def __init__(
        self, handlers: Handlers, changed: Callable[[str], None], tell: Callable[[str, str, str], None]
    ) -> None:
        """`changed` is called with a container's id, `tell` with its name and an Event's reason and message."""
        self._handlers = handlers
        self._changed = changed
        self._tell = tell
        self._probed: dict[str, _Probed] = {}

    def begin(
        self, tasks: asyncio.TaskGroup, container: Object, found: ContainerSeen, address: str, reported: Object
    ) -> ProbeVerdict:
        """Start to probe a container; the verdict before the first result.

        `reported` is its status in the API, if a kubelet before this one had it running: what was ready stays so.
        """
        probed = _Probed(container, found, reported)
        self._probed[found.id] = probed
        for kind in probed.streaks:
            if kind != "startup" or not probed.started.is_set():
                probed.tasks.append(tasks.create_task(self._probe(probed, kind, address)))
        return verdict(probed.streaks)

    def verdict(self, container_id: str) -> ProbeVerdict:
        """What the probes say now."""
        probed = self._probed.get(container_id)
        return verdict(probed.streaks, probed.failed) if probed else ProbeVerdict()

    async def stop(self, container_id: str) -> None:
        """Stop probing a container."""
        probed = self._probed.pop(container_id, None)
        if probed is not None:
            for task in probed.tasks:
                task.cancel()

    async def stop_all(self) -> None:
        """Stop all probes."""
        for container_id in list(self._probed):
            await self.stop(container_id)

    async def _probe(self, probed: _Probed, kind: ProbeKind, address: str) -> None:
        probe: Object = probed.container[f"{kind}Probe"]
        if kind != "startup":
            await probed.started.wait()
        await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
        while True:
            outcome = await self._handlers.probe(probe, probed.container, probed.id, address)
            before = verdict(probed.streaks, probed.failed)
            probed.streaks[kind] = after(probed.streaks[kind], probe, outcome)
            if not outcome.ok:
                self._tell(probed.name, "Unhealthy", f"{kind.title()} probe failed: {outcome.output}")
            elif outcome.warning:
                self._tell(probed.name, "ProbeWarning", f"{kind.title()} probe warning: {outcome.output}")
            if failed_for_good(kind, probed.streaks[kind], probe):
                probed.failed = f"{kind} probe"
            if verdict(probed.streaks, probed.failed) != before:
                self._changed(probed.id)
            if kind == "startup" and probed.streaks[kind].holds:
                probed.started.set()
                return
            await asyncio.sleep(float(probe.get("periodSeconds") or 10))
