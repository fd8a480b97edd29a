"""One pod on this node: the driver of the pod machine.

The worker keeps what was seen of the pod, asks `pod_machine.decide` whenever something changed, and carries the
actions out, each in a task of its own, so that a slow pull or a long grace period holds nothing else up. It decides
nothing itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from kubus.model.errors import StatusError
from kubus.model.objects import Object, is_deleting, name_of, namespace_of, uid_of
from kubus_kubelet import pod_files, volumes
from kubus_kubelet.addresses import RangeExhausted
from kubus_kubelet.conditions import with_memory
from kubus_kubelet.container_starts import ContainerStarts, Launch, StartFailure
from kubus_kubelet.container_stops import ContainerStops
from kubus_kubelet.engine import EngineError
from kubus_kubelet.exits import ExitWatch, exit_code, oom_noted
from kubus_kubelet.inspections import KILLED_CODE, EndNote, container_seen
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.pod_directory import PodDirectory
from kubus_kubelet.pod_machine import decide
from kubus_kubelet.probing import Probing
from kubus_kubelet.sandbox import SandboxError
from kubus_kubelet.states import (
    Action,
    ContainerSeen,
    Decision,
    Failure,
    PodSeen,
    PreparePod,
    ReleasePod,
    RemoveContainer,
    RemovePod,
    ResumeContainer,
    StartContainer,
    StopContainer,
)
from kubus_kubelet.statuses import lost, newest, recalled
from kubus_kubelet.volumes import VolumeError

RETRY = timedelta(seconds=5)
RETRY_SECONDS = 1.0


class PodWorker:
    """Runs one pod until it has left the node."""

    def __init__(self, tools: NodeTools, pod: Object, report: Callable[[Object, Decision], None]) -> None:
        self.pod = pod
        self.uid = uid_of(pod)
        self.directory = PodDirectory(tools.paths.pod(self.uid))
        self.seen = PodSeen(node_address=tools.settings.node_ip)
        self.confirmed = True
        """Whether the API has said that the pod is; until then nothing is reported."""
        self.refresh_volumes_at = tools.clock.now() + timedelta(seconds=tools.settings.sync_seconds)
        self._tools = tools
        self._report = report
        self._starts = ContainerStarts(tools)
        self._stops = ContainerStops(tools)
        self._probing = Probing(tools.handlers, self._verdict, self._unhealthy)
        self._watches: dict[str, ExitWatch] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._decided: Object | None = None
        self._wake = asyncio.Event()
        self._done = False
        self._tasks: asyncio.TaskGroup | None = None
        self._starting: dict[str, asyncio.Task[None]] = {}

    # What comes from outside

    def changed(self, pod: Object) -> None:
        """The API has a newer state of the pod."""
        self.pod = pod
        self.confirmed = True
        if is_deleting(pod):
            self._cancel_starts()
        self._wake.set()

    def deleted(self) -> None:
        """The API no longer has the pod."""
        self.seen = replace(self.seen, gone=True)
        self._cancel_starts()
        self._wake.set()

    def adopt(self, containers: list[ContainerSeen], *, prepared: bool) -> None:
        """Take over what an earlier kubelet left; called before `run`."""
        address = self._tools.addresses.address(self.uid)
        host_network = bool(self.pod["spec"].get("hostNetwork"))
        address = self._tools.settings.node_ip if host_network else address
        missing = recalled(self.pod, containers, self._tools.clock.now())
        self.seen = replace(self.seen, containers=(*containers, *missing), prepared=prepared, address=address)

    def vanished(self, present: set[str]) -> None:
        """An audit found which containers exist: those removed behind our back have ended."""
        now = self._tools.clock.now()
        found = tuple(
            each if each.id in present or each.name in self.seen.busy else lost(each, now)
            for each in self.seen.containers
        )
        if found != self.seen.containers:
            self.seen = replace(self.seen, containers=found)
            self._wake.set()

    # The loop

    async def run(self) -> None:
        """Decide and act until the pod has left the node."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for each in self.seen.containers:
                    if each.step == "running":
                        self._watch(each, adopted=True)
                while not self._done:
                    await self._turn()
                await self._probing.stop_all()
        finally:
            for watch in self._watches.values():
                watch.close()

    async def _turn(self) -> None:
        self._wake.clear()
        now = self._tools.clock.now()
        decision = decide(with_memory(self.pod, self._decided), self.seen, now)
        if decision.status != self._decided:
            self._decided = decision.status
            self.directory.note_pod(with_memory(self.pod, decision.status))
        for action in decision.actions:
            self._begin(action)
        if self.confirmed:
            self._report(self.pod, decision)
        wait = None if decision.again_at is None else max(0.0, (decision.again_at - now).total_seconds()) + 0.001
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()

    def _begin(self, action: Action) -> None:
        name = getattr(action, "name", "")
        self.seen = replace(self.seen, busy=self.seen.busy | {name})
        assert self._tasks is not None
        self._tools.log.debug("acting", pod=self._name, action=type(action).__name__, container=name)
        task = self._tasks.create_task(self._carry_out(action, name))
        if isinstance(action, StartContainer | ResumeContainer | PreparePod):
            self._starting[name] = task

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
            if self._starting.get(name) is not asyncio.current_task():
                raise
            await self._look()
        except (EngineError, StatusError, OSError) as error:
            self._tools.log.warning("action failed", pod=self._name, action=type(action).__name__, error=str(error))
            await asyncio.sleep(RETRY_SECONDS)  # busy meanwhile: not asked for again at once
            with contextlib.suppress(EngineError):
                await self._look()
        finally:
            self._starting.pop(name, None)
            self.seen = replace(self.seen, busy=self.seen.busy - {name})
            self._wake.set()

    def _cancel_starts(self) -> None:
        for task in self._starting.values():
            task.cancel()

    # Actions

    async def _prepare(self, _: PreparePod) -> None:
        pod, tools = self.pod, self._tools
        try:
            if pod["spec"].get("hostNetwork"):
                address = tools.settings.node_ip
            else:
                address = await tools.addresses.give(self.uid)
            resolved = await self._starts.resolve_pod(pod, address)
            await asyncio.to_thread(self._write_files, pod, address)
            await asyncio.to_thread(volumes.set_up, self.directory.root, pod, resolved, tools.clock.now())
        except (SandboxError, RangeExhausted) as error:
            self._put_off("FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}")
        except VolumeError as error:
            self._put_off("FailedMount", str(error))
        except StatusError as error:
            self._put_off("FailedMount", f"MountVolume.SetUp failed : {error.message}")
        else:
            self._succeed("")
            self.seen = replace(self.seen, prepared=True, address=address)

    def _put_off(self, reason: str, message: str) -> None:
        now = self._tools.clock.now()
        self._tools.api.record(self.pod, "Warning", reason, message)
        self._fail("", Failure(reason, message, now, now + timedelta(seconds=2)))

    def _write_files(self, pod: Object, address: str) -> None:
        settings = self._tools.settings
        self.directory.make(pod)
        name = pod_files.hostname(pod, settings.node_name)
        resolver = pod_files.node_file("resolv.conf")
        texts = {
            "hosts": pod_files.hosts_text(pod, address, name, settings.cluster_domain, pod_files.node_file("hosts")),
            "resolv.conf": pod_files.resolver_text(pod, resolver, settings.cluster_dns, settings.cluster_domain),
            "hostname": name + "\n",
        }
        pod_files.write(self.directory.root, texts)

    async def _start(self, action: StartContainer) -> None:
        container = self._container(action.name)
        target = newest(self.seen.containers).get(container.get("targetContainerName", ""))
        target_id = target.id if target else ""
        launch = Launch(self.pod, container, action.attempt, action.streak, self.seen.address, target_id)
        try:
            container_id = await self._starts.create(launch)
        except StartFailure as error:
            now = self._tools.clock.now()
            self._fail(action.name, Failure(error.reason, error.message, now, error.retry_at or now + RETRY))
            return
        self._succeed(action.name)
        await self._started(launch, container_id)

    async def _resume(self, action: ResumeContainer) -> None:
        found = next(each for each in self.seen.containers if each.id == action.id)
        container = self._container(action.name)
        await self._started(Launch(self.pod, container, found.attempt, found.streak, self.seen.address), action.id)

    async def _started(self, launch: Launch, container_id: str) -> None:
        await self._starts.start(launch, container_id)
        await self._look_at(container_id)
        found = next((each for each in self.seen.containers if each.id == container_id), None)
        hook = (launch.container.get("lifecycle") or {}).get("postStart")
        if found is not None and found.step == "running" and hook:
            failure = await self._stops.post_start(self.pod, launch.container, found, self.seen.address)
            if failure:
                await self._stop(StopContainer(container_id, found.name, 30, failure))

    async def _stop(self, action: StopContainer) -> None:
        watch, ended = self._watches.get(action.id), self._ended.get(action.id)
        await self._probing.stop(action.id)
        self._tools.api.record(self.pod, "Normal", "Killing", action.message, f"spec.containers{{{action.name}}}")
        if watch is None or ended is None:
            await self._tools.engine.remove(action.id)
            await self._look()
            return
        container = self._container(action.name)
        await self._stops.stop(self.pod, container, action, watch=watch, ended=ended, address=self.seen.address)

    async def _remove_container(self, action: RemoveContainer) -> None:
        await self._tools.engine.remove(action.id)
        self.seen = replace(self.seen, containers=tuple(each for each in self.seen.containers if each.id != action.id))

    async def _release(self, _: ReleasePod) -> None:
        await self._tools.addresses.take(self.uid)
        await asyncio.to_thread(volumes.tear_down, self.directory.root)
        self.seen = replace(self.seen, prepared=False)

    async def _remove(self, _: RemovePod) -> None:
        await self._look()
        await asyncio.gather(*(self._tools.engine.remove(each.id) for each in self.seen.containers))
        if not self.pod["spec"].get("hostNetwork"):
            await self._tools.addresses.take(self.uid)
        await asyncio.to_thread(volumes.remove, self.directory.root)
        if not self.seen.gone:
            await self._tools.api.finish(self.pod)
        self._done = True

    async def refresh_volumes(self) -> None:
        """Write mounted ConfigMaps, Secrets and fields again."""
        self.refresh_volumes_at = self._tools.clock.now() + timedelta(seconds=self._tools.settings.sync_seconds)
        if not self.seen.prepared or not self.pod["spec"].get("volumes") or is_deleting(self.pod):
            return
        try:
            resolved = await self._starts.resolve_pod(self.pod, self.seen.address)
        except StatusError:
            return
        now = self._tools.clock.now()
        await asyncio.to_thread(volumes.refresh, self.directory.root, self.pod, resolved, now)

    # What is seen

    async def _look(self) -> None:
        listed = await self._tools.engine.containers(f"kubus.pod.uid={self.uid}")
        present = {str(each["Id"]) for each in listed}
        self.seen = replace(self.seen, containers=tuple(each for each in self.seen.containers if each.id in present))
        for each in present - {each.id for each in self.seen.containers if each.step == "exited"}:
            await self._look_at(each)

    async def _look_at(self, container_id: str) -> None:
        inspection = await self._tools.engine.inspect(container_id)
        found = container_seen(inspection, EndNote())
        if found is None:
            return
        found = container_seen(inspection, self.directory.end_note(found.name, found.attempt)) or found
        if found.step == "exited" and not found.message:
            found = replace(found, message=self._last_words(found))
        self._put(found)
        if found.step == "running":
            self._watch(found, adopted=False)

    def _put(self, found: ContainerSeen) -> None:
        others = tuple(each for each in self.seen.containers if each.id != found.id)
        self.seen = replace(self.seen, containers=(*others, found))
        self._wake.set()

    def _watch(self, found: ContainerSeen, *, adopted: bool) -> None:
        if found.id in self._watches:
            return
        assert self._tasks is not None
        tasks = self._tasks
        self._ended[found.id] = asyncio.Event()
        try:
            self._watches[found.id] = ExitWatch(found.id, found.pid, lambda: self._begin_exit(found.id))
        except OSError:
            tasks.create_task(self._exited(found.id))
            return
        container = self._container(found.name)
        seeded = self._reported(found) if adopted else {}
        verdict = self._probing.begin(tasks, container, found, self.seen.address, seeded)
        self.seen = replace(self.seen, verdicts={**self.seen.verdicts, found.id: verdict})

    def _begin_exit(self, container_id: str) -> None:
        assert self._tasks is not None
        self._tasks.create_task(self._exited(container_id))

    def _reported(self, found: ContainerSeen) -> Object:
        status = self.pod.get("status") or {}
        for each in [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]:
            if each.get("containerID") == f"podman://{found.id}":
                return dict(each)
        return {}

    async def _exited(self, container_id: str) -> None:
        watch = self._watches.pop(container_id, None)
        found = next((each for each in self.seen.containers if each.id == container_id), None)
        await self._probing.stop(container_id)
        if found is None:
            return
        finished = self._tools.clock.now()
        code = await exit_code(self._tools.paths, container_id)
        reason = "" if code is not None else "ContainerStatusUnknown"
        if code == KILLED_CODE and ((watch and watch.out_of_memory) or oom_noted(self._tools.paths, container_id)):
            reason = "OOMKilled"
        found = replace(
            found, step="exited", pid=0, finished_at=finished, exit_code=KILLED_CODE if code is None else code
        )
        message = self._last_words(found)
        if reason:
            self.directory.note_end(found.name, found.attempt, EndNote(reason, message))
        self._put(replace(found, reason=reason, message=message))
        self._ended[container_id].set()
        self._warn_back_off(found)

    def _last_words(self, found: ContainerSeen) -> str:
        return self.directory.termination_message(self._container(found.name), found.attempt, found.exit_code)

    def _warn_back_off(self, found: ContainerSeen) -> None:
        if found.streak and found.exit_code and not is_deleting(self.pod):
            words = f"Back-off restarting failed container {found.name} in pod {name_of(self.pod)}_"
            words += f"{namespace_of(self.pod)}({self.uid})"
            self._tools.api.record(self.pod, "Warning", "BackOff", words, f"spec.containers{{{found.name}}}")

    def _container(self, name: str) -> Object:
        spec = self.pod["spec"]
        for kind in ("containers", "initContainers", "ephemeralContainers"):
            for each in spec.get(kind) or ():
                if each["name"] == name:
                    return dict(each)
        return {"name": name}

    def _fail(self, name: str, failure: Failure) -> None:
        self.seen = replace(self.seen, failures={**self.seen.failures, name: failure})

    def _succeed(self, name: str) -> None:
        self.seen = replace(self.seen, failures={key: each for key, each in self.seen.failures.items() if key != name})

    def _verdict(self, container_id: str) -> None:
        verdict = self._probing.verdict(container_id)
        self.seen = replace(self.seen, verdicts={**self.seen.verdicts, container_id: verdict})
        self._wake.set()

    def _unhealthy(self, name: str, message: str) -> None:
        self._tools.api.record(self.pod, "Warning", "Unhealthy", message, f"spec.containers{{{name}}}")

    @property
    def _name(self) -> str:
        return f"{namespace_of(self.pod)}/{name_of(self.pod)}"
