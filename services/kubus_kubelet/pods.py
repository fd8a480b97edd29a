"""All pods of one node: which there are, which an earlier kubelet left, and which nobody wants any more.

What runs is found by labels, so a kubelet that starts anew adopts everything: it asks Podman once, hands every
container to the worker of its pod, and restarts nothing. It needs no API for that, for each pod's directory holds its
object. A pod on the disk or in Podman that the API, once it answers, does not know is wound up like a deleted one.
One pod, container or file that makes no sense is told and passed over; the others never notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from kubus.model.errors import StatusError
from kubus.model.objects import Object, name_of, namespace_of, uid_of
from kubus_kubelet import container_specs
from kubus_kubelet.engine import EngineError
from kubus_kubelet.inspections import EndNote, container_seen
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.orphans import orphan
from kubus_kubelet.pod_admission import rejection_of
from kubus_kubelet.pod_directory import PodDirectory, is_pod_directory
from kubus_kubelet.pod_worker import PodWorker
from kubus_kubelet.sandbox import SandboxError
from kubus_kubelet.states import ContainerSeen, Decision

AUDIT_SECONDS = 10.0
ADMISSION_RETRY_SECONDS = 0.2
ADOPTIONS_AT_ONCE = 8


class Pods:
    """The workers of a node. Enter `run` once; feed with `changed` and `deleted`."""

    def __init__(self, tools: NodeTools, report: Callable[[Object, Decision], None]) -> None:
        self._tools = tools
        self._report = report
        self._workers: dict[str, PodWorker] = {}
        self._found: dict[str, list[ContainerSeen]] = {}
        self._ready = asyncio.Event()
        self._settled = False
        self._tasks: asyncio.TaskGroup | None = None
        self._admitting = asyncio.Lock()

    @property
    def workers(self) -> dict[str, PodWorker]:
        """The workers by pod uid."""
        return self._workers

    async def run(self) -> None:
        """Work for ever. `changed` and `deleted` may be called once this has set `adopted`."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await self._tools.addresses.read()
            self._found = await self._find()
            for pod in await self._tools.blocking(self._noted):
                self._adopt(pod)
            self._ready.set()
            while True:
                await asyncio.sleep(AUDIT_SECONDS)
                try:
                    await self._audit(tasks)
                except Exception:  # the next one may fare better; the workers go on
                    self._tools.log.exception("audit failed")

    async def adopted(self) -> None:
        """Wait until what an earlier kubelet left is known."""
        await self._ready.wait()

    def changed(self, pod: Object) -> None:
        """The API has this pod on this node."""
        uid = uid_of(pod)
        worker = self._workers.get(uid)
        try:
            if worker is not None:
                worker.changed(pod)
            elif pod["spec"].get("containers"):
                worker = PodWorker(self._tools, pod, self._report)
                worker.admitted = uid in self._found
                self._begin(worker)
        except Exception:  # a pod of the wrong shape: the node's others go on
            self._tools.log.exception("pod not taken", pod=f"{namespace_of(pod)}/{name_of(pod)}", uid=uid)

    def deleted(self, uid: str) -> None:
        """The API no longer has this pod."""
        worker = self._workers.get(uid)
        if worker is not None:
            worker.deleted()

    def settle(self, known: set[str]) -> None:
        """The API has exactly these pods: everything else that is found here is wound up."""
        self._settled = True
        for uid, worker in self._workers.items():
            if uid not in known:
                worker.deleted()
        left = self._on_disk() | set(self._found) | self._tools.addresses.uids()
        for uid in left - known - set(self._workers):
            names = [each.name for each in self._found.get(uid, [])]
            worker = PodWorker(self._tools, orphan(uid, names), self._report)
            self._begin(worker)
            worker.deleted()

    def _adopt(self, pod: Object) -> None:
        try:
            worker = PodWorker(self._tools, pod, self._report)
            worker.confirmed = False
            self._begin(worker)
        except Exception:  # what the disk says of one pod; the API may say better
            self._tools.log.exception("pod not adopted", pod=f"{namespace_of(pod)}/{name_of(pod)}", uid=uid_of(pod))

    def _on_disk(self) -> set[str]:
        """Uids with a directory of a pod; whatever else lies there is none of the kubelet's."""
        return {each.name for each in self._tools.paths.pods.iterdir() if is_pod_directory(each)}

    def _begin(self, worker: PodWorker) -> None:
        uid = worker.uid
        self._workers[uid] = worker
        worker.adopt(self._found.pop(uid, []))
        assert self._tasks is not None
        self._tasks.create_task(self._run(worker))

    async def _run(self, worker: PodWorker) -> None:
        while True:
            try:
                await self._admit(worker)
                await worker.run()
                break
            except Exception:  # not even its failure could be told; its pod stays owned
                self._tools.log.exception("pod worker not restarted", uid=worker.uid)
                await asyncio.sleep(AUDIT_SECONDS)
        if self._workers.get(worker.uid) is worker:
            del self._workers[worker.uid]

    async def _admit(self, worker: PodWorker) -> None:
        """Take a pod or refuse it, one after the other: two pods must not count on the same room."""
        async with self._admitting:
            fresh = False
            while _has_to_be_admitted(worker):
                others = [each.pod for each in self._workers.values() if _takes_room(each)]
                try:
                    node = await self._tools.api.node(fresh=fresh)
                except StatusError as error:  # not registered yet, or the API is away
                    self._tools.log.warning("pod not admitted yet", uid=worker.uid, error=error.message)
                    await asyncio.sleep(ADMISSION_RETRY_SECONDS)
                    continue
                if "allocatable" not in (node.get("status") or {}):  # registered, but not reported yet
                    fresh = True
                    await asyncio.sleep(ADMISSION_RETRY_SECONDS)
                    continue
                rejection = rejection_of(worker.pod, others, node)
                if rejection is None:
                    worker.admitted = True
                elif fresh:
                    worker.reject(rejection)
                fresh = True  # what a node seems to lack may just have come to it

    def _noted(self) -> list[Object]:
        """The pods that an earlier kubelet had: the API may be away, and they are looked after all the same."""
        noted = (PodDirectory(each).noted_pod() for each in sorted(self._tools.paths.pods.iterdir()))
        return [pod for pod in noted if pod is not None]

    async def _find(self) -> dict[str, list[ContainerSeen]]:
        found: dict[str, list[ContainerSeen]] = {}
        slots = asyncio.Semaphore(ADOPTIONS_AT_ONCE)

        async def inspect(entry: dict[str, Any]) -> None:
            async with slots:
                seen = await self._seen(str(entry["Id"]))
            if seen is not None:
                found.setdefault(entry["Labels"][container_specs.UID], []).append(seen)

        await asyncio.gather(*(inspect(each) for each in await self._tools.engine.containers()))
        return found

    async def _seen(self, container_id: str) -> ContainerSeen | None:
        try:
            inspection = await self._tools.engine.inspect(container_id)
            found = container_seen(inspection, EndNote())
            if found is None:
                return None
            uid = inspection["Config"]["Labels"][container_specs.UID]
            note = PodDirectory(self._tools.paths.pod(uid)).end_note(found.name, found.attempt)
            return container_seen(inspection, note)
        except EngineError as error:
            self._tools.log.warning("container not adopted", container=container_id, error=str(error))
        except Exception:  # what one container says of itself
            self._tools.log.exception("container not adopted", container=container_id)
        return None

    async def _audit(self, tasks: asyncio.TaskGroup) -> None:
        now = self._tools.clock.now()
        due = [each for each in self._workers.values() if each.volume_refresh.due_at <= now + timedelta(milliseconds=1)]
        for worker in due:
            tasks.create_task(worker.refresh_volumes())
        expected = [(worker, worker.alive()) for worker in self._workers.values()]  # before it is asked for
        try:
            listed = await self._tools.engine.containers()
            present = {str(each["Id"]) for each in listed}
        except EngineError as error:
            self._tools.log.warning("audit without an answer of podman", error=str(error))
            return
        for worker, alive in expected:
            if alive - present:
                tasks.create_task(worker.check_missing(alive - present))
        await self._audit_sandboxes()
        for each in listed:
            if self._settled and each["Labels"][container_specs.UID] not in self._workers:
                tasks.create_task(self._remove_stray(str(each["Id"])))

    async def _audit_sandboxes(self) -> None:
        try:
            for uid in await self._tools.addresses.lost():
                await self._tools.addresses.take(uid)
                if uid in self._workers:
                    self._workers[uid].sandbox_lost()
        except SandboxError as error:
            self._tools.log.warning("sandboxes not audited", error=str(error))

    async def _remove_stray(self, container_id: str) -> None:
        """Remove a container that Podman finished making after its pod had gone."""
        try:
            await self._tools.engine.remove(container_id)
        except EngineError as error:
            self._tools.log.warning("stray container not removed", container=container_id, error=str(error))


def _has_to_be_admitted(worker: PodWorker) -> bool:
    """Whether the node has yet to decide whether it takes the pod."""
    return not (worker.admitted or worker.seen.rejection or worker.is_ending())


def _takes_room(worker: PodWorker) -> bool:
    """Whether what a pod asks for counts: it was taken, and it is not over."""
    running = any(each.step == "running" for each in worker.seen.containers)
    return worker.admitted and (running or not worker.is_ending())
