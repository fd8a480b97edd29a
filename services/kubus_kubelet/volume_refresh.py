"""When a pod's mounted ConfigMaps, Secrets and fields are written again: by time, and when its fields changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from kubus.model.errors import StatusError
from kubus.model.objects import Object, name_of, namespace_of
from kubus_kubelet import volumes
from kubus_kubelet.container_starts import ContainerStarts
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.pod_directory import PodDirectory
from kubus_kubelet.references import shown_fields


class VolumeRefresh:
    """Keeps the volumes of one pod."""

    def __init__(self, tools: NodeTools, starts: ContainerStarts, directory: PodDirectory) -> None:
        self.due_at = tools.clock.now() + timedelta(seconds=tools.settings.sync_seconds)
        self._tools = tools
        self._starts = starts
        self._directory = directory
        self._writing = asyncio.Lock()
        self._changed = False

    def note_change(self, before: Object, after: Object) -> None:
        """Annotating or labelling a pod makes the kubelet look at its volumes at once."""
        self._changed |= shown_fields(before) != shown_fields(after)

    def take_change(self) -> bool:
        """Whether the pod's fields changed since this was asked for the last time."""
        changed, self._changed = self._changed, False
        return changed

    def put_off(self) -> None:
        """The next time is one period from now."""
        self.due_at = self._tools.clock.now() + timedelta(seconds=self._tools.settings.sync_seconds)

    async def run(self, pod: Object, address: str, *, fresh: bool) -> None:
        """Write them once; what fails is tried again the next time, and the pod goes on with what it has.

        `fresh`: with objects read now; else those read some seconds ago may do.
        """
        try:
            async with self._writing:  # two at once would write the same files
                resolved = await self._starts.resolve_pod(pod, address, fresh=fresh)
                now = self._tools.clock.now()
                await self._tools.blocking(volumes.refresh, self._directory.root, pod, resolved, now)
        except StatusError:
            return
        except Exception:
            self._tools.log.exception("volumes not refreshed", pod=f"{namespace_of(pod)}/{name_of(pod)}")
