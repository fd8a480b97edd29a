"""Bringing one container down, within its grace period; and the hooks at both ends of its life."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from kubus.model.objects import Object
from kubus_kubelet.container_specs import stop_signal
from kubus_kubelet.engine import EngineError
from kubus_kubelet.exits import Watch
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.states import ContainerSeen, StopContainer

GRACE_AFTER_HOOK_SECONDS = 2.0
KILL_SECONDS_MAX = 10.0


class ContainerStops:
    """Stops containers of one node."""

    def __init__(self, tools: NodeTools) -> None:
        self._tools = tools

    async def stop(
        self,
        pod: Object,
        container: Object,
        action: StopContainer,
        *,
        watch: Watch,
        ended: asyncio.Event,
        address: str,
    ) -> None:
        """preStop, the stop signal, the rest of the grace period, SIGKILL; returns when the container has ended.

        Raises:
            EngineError: it outlives even SIGKILL.
        """
        began = self._tools.clock.monotonic()
        hook = (container.get("lifecycle") or {}).get("preStop")
        if hook and not ended.is_set():
            await self._pre_stop(pod, container, action, address)
        spent = self._tools.clock.monotonic() - began
        grace = max(action.grace_seconds - spent, GRACE_AFTER_HOOK_SECONDS if hook else 0.0)
        watch.signal(await self._signal(container, action.id))
        if await _within(ended, grace):
            return
        watch.signal(signal.SIGKILL)
        if not await _within(ended, KILL_SECONDS_MAX):
            raise EngineError(0, f"container {action.name} does not end after SIGKILL")

    async def post_start(self, pod: Object, container: Object, found: ContainerSeen, address: str) -> str:
        """Run the postStart hook; "" or why the container has to be stopped."""
        hook = container["lifecycle"]["postStart"]
        output = await self._run(hook, container, found.id, address)
        if output is None:
            return ""
        path = f"spec.containers{{{found.name}}}"
        self._tools.api.record(pod, "Warning", "FailedPostStartHook", f"PostStartHook failed: {output}", path)
        return "FailedPostStartHook"

    async def _pre_stop(self, pod: Object, container: Object, action: StopContainer, address: str) -> None:
        hook = container["lifecycle"]["preStop"]
        try:
            async with asyncio.timeout(action.grace_seconds):
                output = await self._run(hook, container, action.id, address)
        except TimeoutError:
            output = f"the grace period of {action.grace_seconds:g}s is over"
        if output is not None:
            path = f"spec.containers{{{action.name}}}"
            self._tools.api.record(pod, "Warning", "FailedPreStopHook", f"PreStopHook failed: {output}", path)

    async def _run(self, hook: Object, container: Object, container_id: str, address: str) -> str | None:
        try:
            outcome = await self._tools.handlers.run(hook, container, container_id, address)
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            return str(error)
        return None if outcome.ok else outcome.output or "the handler failed"

    async def _signal(self, container: Object, container_id: str) -> int:
        if (container.get("lifecycle") or {}).get("stopSignal"):
            return stop_signal(container, "")
        try:
            inspection = await self._tools.engine.inspect(container_id)
        except EngineError:
            return int(signal.SIGTERM)
        return stop_signal(container, str((inspection.get("Config") or {}).get("StopSignal") or ""))


async def _within(ended: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ended.wait()
    return ended.is_set()
