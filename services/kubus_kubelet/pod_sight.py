"""What is seen of one pod on this node: its containers, how they end, what their probes say.

Podman is asked about a container when something was done to it; that it ends is learned from its pidfd and conmon's
exit file, within milliseconds. Everything goes into one value, `seen`, on which `pod_machine.decide` rests; each change
of it calls `changed`. Here is no decision, and nothing is done to a container.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace

from kubus.model.objects import Object, is_deleting, name_of, namespace_of, uid_of
from kubus_kubelet.engine import EngineError
from kubus_kubelet.exits import Watch
from kubus_kubelet.inspections import KILLED_CODE, EndNote, container_seen
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.pod_directory import PodDirectory
from kubus_kubelet.probing import Probing
from kubus_kubelet.states import ContainerSeen, Failure, PodSeen
from kubus_kubelet.statuses import recalled


class PodSight:
    """What is seen of a pod. `changed` is called whenever a new decision may be due."""

    def __init__(self, tools: NodeTools, pod: Object, directory: PodDirectory, changed: Callable[[], None]) -> None:
        self.pod = pod
        """The pod as the API has it."""
        self.seen = PodSeen(node_address=tools.settings.node_ip)
        self._tools = tools
        self._directory = directory
        self._changed = changed
        self._uid = uid_of(pod)
        self._probing = Probing(tools.handlers, self._verdict, self._tell)
        self._watches: dict[str, Watch] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._tasks: asyncio.TaskGroup | None = None

    # Over the pod's life

    def adopt(self, containers: list[ContainerSeen], *, prepared: bool) -> None:
        """Take over what an earlier kubelet left; called before `begin`."""
        address = self._tools.addresses.address(self._uid)
        host_network = bool(self.pod["spec"].get("hostNetwork"))
        address = self._tools.settings.node_ip if host_network else address
        missing = recalled(self.pod, containers, self._tools.clock.now())
        self.note(containers=(*containers, *missing), prepared=prepared and bool(address), address=address)

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Watch what runs already; `tasks` lives as long as the pod is here."""
        self._tasks = tasks
        self._ended.clear()
        for each in self.seen.containers:
            if each.step == "running":
                self._watch(each, adopted=True)

    async def end(self) -> None:
        """Stop all probes."""
        await self._probing.stop_all()

    def close(self) -> None:
        """Watch nothing any more."""
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()

    # What others have seen

    def note(self, **facts: object) -> None:
        """Fields of `seen` that are different now."""
        self.seen = replace(self.seen, **facts)  # type: ignore[arg-type]  # the fields' own names and types

    def forget(self, container_id: str) -> None:
        """A container was removed."""
        self.note(containers=tuple(each for each in self.seen.containers if each.id != container_id))

    def alive(self) -> frozenset[str]:
        """Ids of the containers that Podman has to know of: seen here, and not seen to end."""
        busy = self.seen.busy
        return frozenset(each.id for each in self.seen.containers if each.step != "exited" and each.name not in busy)

    async def check_missing(self, missing: Iterable[str]) -> None:
        """Look again for containers that a list of Podman's left out; those removed behind its back have ended.

        A list is old when it arrives, so Podman is asked about each. A process that outlives Podman's record of it is
        killed: its container would run twice. How it ended is learned from its exit, as of every other.
        """
        for container_id in missing:
            if not await self._is_unknown(container_id):
                continue
            found = self.find(container_id)
            if found is None or found.step == "exited" or found.name in self.seen.busy:
                continue
            watch = self._watches.get(container_id)
            if watch is not None:
                watch.signal(signal.SIGKILL)
            elif found.step == "created":
                self.forget(container_id)
                self._changed()
            elif container_id not in self._ended:
                self._begin_exit(container_id)

    async def _is_unknown(self, container_id: str) -> bool:
        try:
            await self._tools.engine.inspect(container_id)
        except EngineError as error:
            return error.code == 404
        return False

    def failed(self, name: str, failure: Failure) -> None:
        """A container (or the pod as a whole: "") could not be started."""
        self.note(failures={**self.seen.failures, name: failure})

    def succeeded(self, name: str) -> None:
        """What had failed has not, this time."""
        self.note(failures={key: each for key, each in self.seen.failures.items() if key != name})

    # Looking

    def container(self, name: str) -> Object:
        """A container as the pod's spec has it."""
        spec = self.pod["spec"]
        for kind in ("containers", "initContainers", "ephemeralContainers"):
            for each in spec.get(kind) or ():
                if each["name"] == name:
                    return dict(each)
        return {"name": name}

    def find(self, container_id: str) -> ContainerSeen | None:
        """What was seen of a container."""
        return next((each for each in self.seen.containers if each.id == container_id), None)

    async def look(self) -> None:
        """Ask Podman about all of the pod's containers.

        Raises:
            EngineError
        """
        listed = await self._tools.engine.containers(f"kubus.pod.uid={self._uid}")
        present = {str(each["Id"]) for each in listed}
        known = tuple(each for each in self.seen.containers if each.id in present or each.step == "exited")
        self.note(containers=known)
        for each in present - {each.id for each in self.seen.containers if each.step == "exited"}:
            await self.look_at(each)

    async def look_at(self, container_id: str) -> None:
        """Ask Podman about one.

        Raises:
            EngineError
        """
        inspection = await self._tools.engine.inspect(container_id)
        found = container_seen(inspection, EndNote())
        if found is None:
            return
        found = container_seen(inspection, self._directory.end_note(found.name, found.attempt)) or found
        if found.step == "exited" and not found.message:
            found = replace(found, message=self._last_words(found))
        self._put(found)
        if found.step == "running":
            self._watch(found, adopted=False)

    async def ending(self, container_id: str) -> tuple[Watch, asyncio.Event] | None:
        """Stop probing a container that is to end; how to signal it and what is set when it has; None if it has."""
        watch, ended = self._watches.get(container_id), self._ended.get(container_id)
        await self._probing.stop(container_id)
        return None if watch is None or ended is None else (watch, ended)

    def _put(self, found: ContainerSeen) -> None:
        others = tuple(each for each in self.seen.containers if each.id != found.id)
        self.note(containers=(*others, found))
        self._changed()

    def _watch(self, found: ContainerSeen, *, adopted: bool) -> None:
        if found.id in self._watches:
            return
        assert self._tasks is not None
        tasks = self._tasks
        self._ended[found.id] = asyncio.Event()
        try:
            watch = self._tools.exits.watch(found.id, found.pid, lambda: self._begin_exit(found.id))
        except OSError:
            tasks.create_task(self._exited(found.id))
            return
        self._watches[found.id] = watch
        if found.id not in self.seen.hooks:
            self._probe(found, self._reported(found) if adopted else {})

    def _probe(self, found: ContainerSeen, reported: Object) -> None:
        assert self._tasks is not None
        verdict = self._probing.begin(self._tasks, self.container(found.name), found, self.seen.address, reported)
        self.note(verdicts={**self.seen.verdicts, found.id: verdict})

    def begin_hook(self, container_id: str) -> None:
        """A container is about to start that is not Running, and not probed, before its postStart hook has ended."""
        self.note(hooks=self.seen.hooks | {container_id})

    def end_hook(self, container_id: str, *, passed: bool) -> None:
        """The hook has ended; where it passed, the container's probes begin."""
        if container_id not in self.seen.hooks:
            return
        self.note(hooks=self.seen.hooks - {container_id})
        found = self.find(container_id)
        if passed and found is not None and container_id in self._watches:
            self._probe(found, {})
        self._changed()

    def _begin_exit(self, container_id: str) -> None:
        assert self._tasks is not None
        self._ended.setdefault(container_id, asyncio.Event())
        self._tasks.create_task(self._exited(container_id))

    def _reported(self, found: ContainerSeen) -> Object:
        status = self.pod.get("status") or {}
        for each in [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]:
            if each.get("containerID") == f"podman://{found.id}":
                return dict(each)
        return {}

    async def _exited(self, container_id: str) -> None:
        watch = self._watches.pop(container_id, None)
        found = self.find(container_id)
        await self._probing.stop(container_id)
        if found is None:
            return
        finished = self._tools.clock.now()
        code = await self._exit_code(container_id)
        reason = "" if code is not None else "ContainerStatusUnknown"
        noted = watch is not None and watch.out_of_memory
        if code == KILLED_CODE and (noted or self._tools.exits.is_out_of_memory(container_id)):
            reason = "OOMKilled"
        found = replace(
            found, step="exited", pid=0, finished_at=finished, exit_code=KILLED_CODE if code is None else code
        )
        message = self._last_words(found)
        if reason:
            self._note_end(found, EndNote(reason, message))
        self._put(replace(found, reason=reason, message=message))
        self._ended[container_id].set()
        self._warn_back_off(found)

    def _note_end(self, found: ContainerSeen, note: EndNote) -> None:
        try:
            self._directory.note_end(found.name, found.attempt, note)
        except OSError as error:  # a full disk: only the next kubelet would have read it
            self._tools.log.warning("end of a container not noted", pod=self._uid, error=str(error))

    async def _exit_code(self, container_id: str) -> int | None:
        code = await self._tools.exits.code(container_id)
        if code is not None:
            return code
        try:
            state = (await self._tools.engine.inspect(container_id)).get("State") or {}
        except EngineError:
            return None
        return int(state["ExitCode"]) if state.get("Status") in ("exited", "stopped") else None

    def _last_words(self, found: ContainerSeen) -> str:
        return self._directory.termination_message(self.container(found.name), found.attempt, found.exit_code)

    def _warn_back_off(self, found: ContainerSeen) -> None:
        if found.streak and found.exit_code and not is_deleting(self.pod):
            words = f"Back-off restarting failed container {found.name} in pod {name_of(self.pod)}_"
            words += f"{namespace_of(self.pod)}({self._uid})"
            self._tools.api.record(self.pod, "Warning", "BackOff", words, f"spec.containers{{{found.name}}}")

    def _verdict(self, container_id: str) -> None:
        verdict = self._probing.verdict(container_id)
        self.note(verdicts={**self.seen.verdicts, container_id: verdict})
        self._changed()

    def _tell(self, name: str, reason: str, message: str) -> None:
        self._tools.api.record(self.pod, "Warning", reason, message, f"spec.containers{{{name}}}")
