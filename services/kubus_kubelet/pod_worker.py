"""One pod on this node: the driver of the pod machine.

The worker asks `pod_machine.decide` whenever something changed in what is seen of the pod (`pod_sight`), and carries
the actions out, each in a task of its own, so that a slow pull or a long grace period holds nothing else up. It
decides nothing itself.

A worker never loses its pod. What an action raises is that action's failure; what the worker itself raises is told by
an Event and a condition, and the worker looks at the pod anew after a pause. What runs meanwhile goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from kubus.model.errors import StatusError
from kubus.model.objects import Object, is_deleting, name_of, namespace_of, uid_of
from kubus_kubelet import pod_files, volumes
from kubus_kubelet.addresses import RangeExhausted
from kubus_kubelet.conditions import with_memory, with_sync_error
from kubus_kubelet.container_starts import ContainerStarts, Launch, StartFailure
from kubus_kubelet.container_stops import ContainerStops
from kubus_kubelet.engine import EngineError
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.orphans import orphan
from kubus_kubelet.pod_directory import PodDirectory
from kubus_kubelet.pod_machine import SANDBOX_CHANGED, TERMINAL, decide, grace_seconds
from kubus_kubelet.pod_sight import PodSight
from kubus_kubelet.restarts import worker_wait_seconds
from kubus_kubelet.sandbox import SandboxError
from kubus_kubelet.states import (
    Action,
    ContainerSeen,
    Decision,
    Failure,
    PodSeen,
    PreparePod,
    Rejection,
    ReleasePod,
    RemoveContainer,
    RemovePod,
    ResumeContainer,
    StartContainer,
    StopContainer,
)
from kubus_kubelet.volume_refresh import VolumeRefresh
from kubus_kubelet.volumes import VolumeError

RETRY = timedelta(seconds=5)
RETRY_SECONDS = 1.0
FAILURES_MAX = 3
"""So many times a worker tries to end a pod as its spec says; then only its containers count."""


class PodWorker:
    """Runs one pod until it has left the node."""

    def __init__(self, tools: NodeTools, pod: Object, report: Callable[[Object, Decision], None]) -> None:
        self.uid = uid_of(pod)
        self.directory = PodDirectory(tools.paths.pod(self.uid))
        self.confirmed = True
        """Whether the API has said that the pod is; until then nothing is reported."""
        self.admitted = True
        """Whether the node has taken it; only a pod that comes from the API and is new here is asked about."""
        self._tools = tools
        self._report = report
        self._starts = ContainerStarts(tools)
        self._stops = ContainerStops(tools)
        self.volume_refresh = VolumeRefresh(tools, self._starts, self.directory)
        self._decided: Object | None = None
        self._noted: Object | None = None
        self._left: list[ContainerSeen] | None = None
        self._failures = 0
        self._wake = asyncio.Event()
        self._sight = PodSight(tools, pod, self.directory, self._wake.set)
        self._done = False
        self._tasks: asyncio.TaskGroup | None = None
        self._acting: dict[str, tuple[Action, asyncio.Task[None]]] = {}
        self._cancelled: set[str] = set()

    @property
    def pod(self) -> Object:
        """The pod as the API has it."""
        return self._sight.pod

    @property
    def seen(self) -> PodSeen:
        """What is seen of it here."""
        return self._sight.seen

    # What comes from outside

    def changed(self, pod: Object) -> None:
        """The API has a newer state of the pod."""
        before, self._sight.pod = self.pod, pod
        self.confirmed = True
        self.volume_refresh.note_change(before, pod)
        if is_deleting(pod):
            self._cancel_starts()
        self._wake.set()

    def deleted(self) -> None:
        """The API no longer has the pod."""
        self._sight.note(gone=True)
        self._cancel_starts()
        self._wake.set()

    def adopt(self, containers: list[ContainerSeen]) -> None:
        """Take over what an earlier kubelet left; called before `run`."""
        self._left = containers

    def sandbox_lost(self) -> None:
        """The pod's sandbox was removed behind the kubelet's back: another is made, and containers start in it anew."""
        if self.seen.address and not self.pod["spec"].get("hostNetwork"):
            self._sight.note(prepared=False, address="")
            self._tools.api.record(self.pod, "Normal", "SandboxChanged", SANDBOX_CHANGED)
            self._wake.set()

    def reject(self, rejection: Rejection) -> None:
        """The node does not take the pod."""
        self._sight.note(rejection=rejection)
        self._tools.api.record(self.pod, "Warning", rejection.reason, rejection.message)

    def is_ending(self) -> bool:
        """Whether nothing more of it is started."""
        phase = (self._decided or self.pod.get("status") or {}).get("phase")
        return self.seen.gone or is_deleting(self.pod) or phase in TERMINAL

    def alive(self) -> frozenset[str]:
        """Ids of the containers that Podman has to know of."""
        return self._sight.alive()

    async def check_missing(self, missing: frozenset[str]) -> None:
        """Look again for containers that were `alive` before Podman listed what there is, without them."""
        await self._sight.check_missing(missing)

    # The loop

    async def run(self) -> None:
        """Decide and act until the pod has left the node; what fails is told, and begun anew after a pause."""
        while not self._done:
            try:
                await self._live()
            except Exception as error:  # whatever it is, it must not take the node's other pods along
                self._tell_failure(error)
                await asyncio.sleep(worker_wait_seconds(self._failures))

    async def _live(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._take_over()
                self._sight.begin(tasks)
                try:
                    recovery = tasks.create_task(self._recover()) if self._failures else None
                    while not self._done:
                        await self._turn()
                    if recovery is not None:
                        recovery.cancel()
                finally:
                    self._sight.close()  # an exit seen from here on would begin a task in a group that has ended
                await self._sight.end()  # probes are tasks of this group, which waits for them
        finally:
            self._sight.close()  # what was still being done may have begun to watch
            await self._sight.end()

    def _take_over(self) -> None:
        if self._left is not None:
            prepared = pod_files.are_written(self.directory.root) and volumes.are_set_up(self.directory.root, self.pod)
            self._sight.adopt(self._left, prepared=prepared)
            self._left = None

    async def _recover(self) -> None:
        """Learn what became of what the failure cut short; after some time without another all is well again."""
        await self._sight.look()
        self._wake.set()
        await asyncio.sleep(worker_wait_seconds(self._failures))
        self._failures = 0
        self._sight.note(sync_error="")
        self._wake.set()

    def _tell_failure(self, error: Exception) -> None:
        self._failures += 1
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        message = f"Error syncing pod: {error or type(error).__name__}"
        self._tools.log.exception("pod worker failed", pod=self._name, uid=self.uid, failures=self._failures)
        self._tools.api.record(self.pod, "Warning", "FailedSync", message)
        self._sight.note(sync_error=message, busy=frozenset())
        self._acting.clear()
        self._cancelled.clear()
        status = with_sync_error(self._decided or self.pod.get("status") or {}, message, self._tools.clock.now())
        if self.confirmed:
            self._report(self.pod, Decision((), status))
        if self._failures >= FAILURES_MAX and (self.seen.gone or is_deleting(self.pod)):
            names = [each.name for each in (*self.seen.containers, *(self._left or ()))]
            self._sight.pod = orphan(self.uid, names, dict(self.pod["metadata"]))
            self._decided = None

    async def _turn(self) -> None:
        self._wake.clear()
        now = self._tools.clock.now()
        decision = decide(with_memory(self.pod, self._decided), self.seen, now)
        if decision.status != self._decided:
            self._decided = decision.status
        await self._note(decision.status)
        for action in decision.actions:
            self._begin(action)
        if self.seen.prepared and self.volume_refresh.take_change():
            assert self._tasks is not None
            self._tasks.create_task(self.refresh_volumes(fresh=True))
        if self.confirmed:
            self._report(self.pod, decision)
        wait = None if decision.again_at is None else max(0.0, (decision.again_at - now).total_seconds()) + 0.001
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()

    async def _note(self, status: Object) -> None:
        if status == self._noted:
            return
        try:
            self.directory.note_pod(with_memory(self.pod, status))
        except OSError as error:  # a full disk, say: the pod goes on, and its next turn tries again
            self._tools.log.warning("pod not noted on the disk", pod=self._name, error=str(error))
        else:
            self._noted = status

    def _begin(self, action: Action) -> None:
        name = getattr(action, "name", "")
        self._sight.note(busy=self.seen.busy | {name})
        assert self._tasks is not None
        self._tools.log.debug("acting", pod=self._name, action=type(action).__name__, container=name)
        task = self._tasks.create_task(self._carry_out(action, name))
        self._acting[name] = (action, task)
        task.add_done_callback(lambda ended: self._end_action(name, ended))

    def _end_action(self, name: str, task: asyncio.Task[None]) -> None:
        """Called even where an action was cancelled before it began."""
        if name in self._acting and self._acting[name][1] is task:
            del self._acting[name]
            self._cancelled.discard(name)
            self._sight.note(busy=self.seen.busy - {name})
            self._wake.set()

    async def _carry_out(self, action: Action, name: str) -> None:
        works: dict[type, Callable[..., Awaitable[None]]] = {
            PreparePod: self._prepare,
            StartContainer: self._start,
            ResumeContainer: self._resume,
            StopContainer: self._stop,
            RemoveContainer: self._remove_container,
            ReleasePod: self._release,
            RemovePod: self._remove,
        }
        try:
            await works[type(action)](action)
        except asyncio.CancelledError:
            if name not in self._cancelled:
                raise
            await self._look_again()
        except Exception as error:  # one action's failure is not its pod's
            self._note_failed(action, name, error)
            await asyncio.sleep(RETRY_SECONDS)  # busy meanwhile: not asked for again at once
            await self._look_again()

    async def _look_again(self) -> None:
        with contextlib.suppress(EngineError):
            await self._sight.look()

    def _note_failed(self, action: Action, name: str, error: Exception) -> None:
        kind = type(action).__name__
        if isinstance(error, EngineError | StatusError | OSError):
            self._tools.log.warning("action failed", pod=self._name, action=kind, error=str(error))
        else:
            self._tools.log.exception("action failed", pod=self._name, action=kind)
        if isinstance(error, EngineError | StatusError):
            return
        if isinstance(action, PreparePod):
            self._put_off("FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}")
        elif isinstance(action, StartContainer | ResumeContainer):
            now = self._tools.clock.now()
            self._sight.failed(name, Failure("CreateContainerError", str(error), now, now + RETRY))
            self._tools.api.record(self.pod, "Warning", "Failed", f"Error: {error}", f"spec.containers{{{name}}}")
        else:
            self._tools.api.record(self.pod, "Warning", "FailedKillPod", f"error killing pod: {error}")

    def _cancel_starts(self) -> None:
        for name, (action, task) in self._acting.items():
            starting = isinstance(action, StartContainer | ResumeContainer | PreparePod)
            if starting and name not in self._cancelled:  # a second time would cut off the tidying up after the first
                self._cancelled.add(name)
                task.cancel()

    # Actions

    async def _prepare(self, _: PreparePod) -> None:
        pod, tools = self.pod, self._tools
        await tools.blocking(self.directory.make, pod)  # first of all: whatever a crash leaves, its owner is known
        try:
            if pod["spec"].get("hostNetwork"):
                address = tools.settings.node_ip
            else:
                address = await tools.addresses.give(self.uid)
            self._sight.note(address=address)
            resolved = await self._starts.resolve_pod(pod, address)
            await tools.blocking(self.directory.make, pod)
            await tools.blocking(pod_files.write_all, self.directory.root, pod, address, tools.settings)
            await tools.blocking(volumes.set_up, self.directory.root, pod, resolved, tools.clock.now())
        except (SandboxError, RangeExhausted) as error:
            self._put_off("FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}")
        except VolumeError as error:
            self._put_off("FailedMount", str(error))
        except StatusError as error:
            self._put_off("FailedMount", f"MountVolume.SetUp failed : {error.message}")
        else:
            self._sight.succeeded("")
            self._sight.note(prepared=self.seen.address == address)  # unless it was lost meanwhile

    def _put_off(self, reason: str, message: str) -> None:
        now = self._tools.clock.now()
        self._tools.api.record(self.pod, "Warning", reason, message)
        self._sight.failed("", Failure(reason, message, now, now + timedelta(seconds=2)))

    async def _start(self, action: StartContainer) -> None:
        container = self._sight.container(action.name)
        try:
            target_id = self._starts.target_of(self.pod, container, self.seen.containers)
            launch = Launch(self.pod, container, action.attempt, action.streak, self.seen.address, target_id)
            container_id = await self._starts.create(launch)
        except StartFailure as error:
            now = self._tools.clock.now()
            self._sight.failed(action.name, Failure(error.reason, error.message, now, error.retry_at or now + RETRY))
            return
        self._sight.succeeded(action.name)
        await self._started(launch, container_id)

    async def _resume(self, action: ResumeContainer) -> None:
        found = next(each for each in self.seen.containers if each.id == action.id)
        container = self._sight.container(action.name)
        await self._started(Launch(self.pod, container, found.attempt, found.streak, self.seen.address), action.id)

    async def _started(self, launch: Launch, container_id: str) -> None:
        if (launch.container.get("lifecycle") or {}).get("postStart"):
            self._sight.begin_hook(container_id)
        try:
            await self._starts.start(launch, container_id)
            await self._sight.look_at(container_id)
            found = self._sight.find(container_id)
            if found is not None and found.step == "running" and container_id in self.seen.hooks:
                failure = await self._stops.post_start(self.pod, launch.container, found, self.seen.address)
                if failure:
                    await self._stop(StopContainer(container_id, found.name, grace_seconds(self.pod), failure))
                else:
                    self._sight.end_hook(container_id, passed=True)
        finally:
            self._sight.end_hook(container_id, passed=False)

    async def _stop(self, action: StopContainer) -> None:
        ending = await self._sight.ending(action.id)
        self._tools.api.record(self.pod, "Normal", "Killing", action.message, f"spec.containers{{{action.name}}}")
        if ending is None:
            await self._tools.engine.remove(action.id)
            await self._sight.look()
            return
        watch, ended = ending
        container = self._sight.container(action.name)
        await self._stops.stop(self.pod, container, action, watch=watch, ended=ended, address=self.seen.address)

    async def _remove_container(self, action: RemoveContainer) -> None:
        await self._tools.engine.remove(action.id)
        self._sight.forget(action.id)

    async def _release(self, _: ReleasePod) -> None:
        if not self.pod["spec"].get("hostNetwork"):
            await self._tools.addresses.take(self.uid)
        await self._tools.blocking(volumes.tear_down, self.directory.root)
        self._sight.note(prepared=False, address="")

    async def _remove(self, _: RemovePod) -> None:
        await self._sight.look()
        await asyncio.gather(*(self._tools.engine.remove(each.id) for each in self.seen.containers))
        if not self.pod["spec"].get("hostNetwork"):
            await self._tools.addresses.take(self.uid)
        await self._tools.blocking(volumes.remove, self.directory.root)
        if not self.seen.gone:
            await self._tools.api.finish(self.pod)
        self._done = True

    async def refresh_volumes(self, *, fresh: bool = False) -> None:
        """Write mounted ConfigMaps, Secrets and fields again."""
        self.volume_refresh.put_off()
        if self.seen.prepared and self.pod["spec"].get("volumes") and not is_deleting(self.pod):
            await self.volume_refresh.run(self.pod, self.seen.address, fresh=fresh)

    @property
    def _name(self) -> str:
        return f"{namespace_of(self.pod)}/{name_of(self.pod)}"
