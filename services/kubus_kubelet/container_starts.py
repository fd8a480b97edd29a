"""Bringing one container up: image, configuration, create, start, with the events and errors Kubernetes has.

A failure before the container exists is a `StartFailure` with the waiting reason that kubectl shows. A container
that exists but does not start has ended, with reason StartError.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from kubus.model.errors import StatusError
from kubus.model.objects import Object, name_of, namespace_of, uid_of
from kubus.model.times import rfc3339_micro
from kubus_kubelet import pod_files, volumes
from kubus_kubelet.container_specs import Making, Mount, container_name, container_spec
from kubus_kubelet.engine import EngineError
from kubus_kubelet.environments import environment, runtime_environment
from kubus_kubelet.image_names import qualified
from kubus_kubelet.image_pulls import ImageFailure
from kubus_kubelet.inspections import EndNote, start_error_words
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.payloads import token_keys
from kubus_kubelet.pod_directory import PodDirectory
from kubus_kubelet.references import ConfigError, Reference, Resolved, container_references, references
from kubus_kubelet.registry_logins import credentials
from kubus_kubelet.sandbox import netns_path
from kubus_kubelet.states import ContainerSeen
from kubus_kubelet.statuses import newest

PODMAN_ORDERS = "io.podman.annotations."


class StartFailure(Exception):
    """A container could not be brought into being."""

    def __init__(self, reason: str, message: str, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_at = retry_at


class Launch(NamedTuple):
    """One attempt at one container."""

    pod: Object
    container: Object
    attempt: int
    streak: int
    address: str
    target: str = ""
    """Id of the container that an ephemeral one looks into."""

    @property
    def path(self) -> str:
        """The container's field path, as Events name it."""
        spec = self.pod["spec"]
        for kind in ("containers", "initContainers", "ephemeralContainers"):
            if any(each["name"] == self.container["name"] for each in spec.get(kind) or ()):
                return f"spec.{kind}{{{self.container['name']}}}"
        return ""


def _harmless(found: dict[str, Any], image: str) -> dict[str, Any]:
    """The image, unless it gives orders to Podman itself: those would be carried out with the node's rights."""
    if any(key.startswith(PODMAN_ORDERS) for key in found.get("Annotations") or ()):
        raise ImageFailure("ImageInspectError", f'image "{image}" has annotations of {PODMAN_ORDERS}*: refused')
    return found


class ContainerStarts:
    """Starts containers of one node."""

    def __init__(self, tools: NodeTools) -> None:
        self._tools = tools

    async def resolve_pod(self, pod: Object, address: str, *, fresh: bool = False) -> Resolved:
        """Everything that a pod's volumes and containers refer to; `fresh`: read now, not some seconds ago.

        Raises:
            StatusError: the API gives no answer.
        """
        tokens: dict[tuple[str, int], str] = {}
        for audience, seconds in sorted(token_keys(pod)):
            tokens[audience, seconds] = await self._tools.api.token(pod, audience, seconds)
        return await self._resolve(pod, address, references(pod), tokens, fresh=fresh)

    async def _resolve(
        self,
        pod: Object,
        address: str,
        wanted: set[Reference],
        tokens: dict[tuple[str, int], str],
        *,
        fresh: bool = False,
    ) -> Resolved:
        api = self._tools.api
        objects = {each: await api.fetch(namespace_of(pod), each, fresh=fresh) for each in sorted(wanted)}
        return Resolved(
            pod=pod,
            address=address,
            host_ip=self._tools.settings.node_ip,
            node_cpu_millis=self._tools.cpu_millis,
            node_memory_bytes=self._tools.memory_bytes,
            objects=objects,
            tokens=tokens,
            extra_env=await api.api_environment(),
        )

    def target_of(self, pod: Object, container: Object, seen: Iterable[ContainerSeen]) -> str:
        """Id of the container whose processes an ephemeral one is to see; "" for none.

        Raises:
            StartFailure: it does not run, so that it has no process namespace to join.
        """
        name = container.get("targetContainerName")
        if not name:
            return ""
        target = newest(seen).get(name)
        if target is not None and target.step == "running":
            return target.id
        what = "is not running" if target is not None else "has not been created"
        message = f"unable to find target container {name}: it {what}"
        path = f"spec.ephemeralContainers{{{container['name']}}}"
        self._tools.api.record(pod, "Warning", "Failed", f"Error: {message}", path)
        raise StartFailure("CreateContainerConfigError", message)

    async def create(self, launch: Launch) -> str:
        """Pull the image if need be and create the container; its id.

        Raises:
            StartFailure
            EngineError: Podman does not answer.
        """
        try:
            image = await self._image(launch)
            resolved = await self._resolve(
                launch.pod, launch.address, set(container_references(launch.container)), tokens={}
            )
            making = await self._tools.blocking(self._making, launch, resolved, image)
            spec = container_spec(launch.pod, launch.container, making)
        except ImageFailure as error:
            raise self._image_failure(launch, error) from None
        except (ConfigError, StatusError) as error:
            self._failed(launch, f"Error: {error}")
            raise StartFailure("CreateContainerConfigError", str(error)) from None
        try:
            container_id = await self._create(spec, launch)
        except EngineError as error:
            if error.code == 0:
                raise
            self._failed(launch, f"Error: {error.message}")
            raise StartFailure("CreateContainerError", error.message) from None
        self._event(launch, "Created", f"Created container: {launch.container['name']}")
        return container_id

    async def start(self, launch: Launch, container_id: str) -> None:
        """Start a created container. One that does not start is noted as ended.

        Raises:
            EngineError: Podman does not answer; whether it started is not known.
        """
        try:
            await self._tools.engine.start(container_id)
        except EngineError as error:
            if error.code == 0:
                raise
            words = start_error_words(error.message)
            note = EndNote("StartError", words, rfc3339_micro(self._tools.clock.now()))
            directory = PodDirectory(self._tools.paths.pod(uid_of(launch.pod)))
            directory.note_end(launch.container["name"], launch.attempt, note)
            self._failed(launch, f"Error: {words}")
            return
        self._event(launch, "Started", f"Started container {launch.container['name']}")

    async def _create(self, spec: dict[str, Any], launch: Launch) -> str:
        engine = self._tools.engine
        try:
            return await engine.create(spec)
        except EngineError as error:
            if "already in use" not in error.message:
                raise
        # The attempt's name is taken by what a kubelet that died here left half made.
        await engine.remove(container_name(uid_of(launch.pod), launch.container["name"], launch.attempt))
        return await engine.create(spec)

    async def _image(self, launch: Launch) -> dict[str, Any]:
        image = launch.container.get("image", "")
        found = await self._tools.pulls.present(launch.container)
        if found is not None:
            self._event(launch, "Pulled", f'Container image "{image}" already present on machine')
            return _harmless(found, image)
        self._event(launch, "Pulling", f'Pulling image "{image}"')
        began = self._tools.clock.monotonic()
        found = await self._tools.pulls.pull(image, await self._auth(launch.pod, image))
        took = self._tools.clock.monotonic() - began
        size = found.get("Size") or 0
        words = f'Successfully pulled image "{image}" in {took:.3f}s ({took:.3f}s including waiting).'
        self._event(launch, "Pulled", f"{words} Image size: {size} bytes.")
        return _harmless(found, image)

    async def _auth(self, pod: Object, image: str) -> dict[str, str] | None:
        names = [each["name"] for each in pod["spec"].get("imagePullSecrets") or ()]
        secrets = [await self._tools.api.fetch(namespace_of(pod), Reference("secret", name)) for name in names]
        return credentials([each for each in secrets if each is not None], qualified(image))

    def _image_failure(self, launch: Launch, error: ImageFailure) -> StartFailure:
        image = launch.container.get("image", "")
        if error.reason == "ErrImagePull":
            self._failed(launch, f'Failed to pull image "{image}": {error.message}')
        self._failed(launch, f"Error: {error.reason}")
        return StartFailure(error.reason, error.message, self._tools.pulls.retry_at(image, self._tools.clock.now()))

    def _making(self, launch: Launch, resolved: Resolved, image: dict[str, Any]) -> Making:
        tools, pod, container = self._tools, launch.pod, launch.container
        directory = PodDirectory(tools.paths.pod(uid_of(pod)))
        attempt = directory.make_attempt(container["name"], launch.attempt)
        hostname = pod_files.hostname(pod, tools.settings.node_name)
        variables = {"HOSTNAME": hostname, **environment(container, resolved)}
        mounts = volumes.container_mounts(directory.root, pod, container, variables)
        mounts += pod_files.mounts(directory.root, container)
        config = image.get("Config") or {}
        path = container.get("terminationMessagePath") or "/dev/termination-log"
        mounts.append(Mount(str(attempt / "termination"), path))
        return Making(
            attempt=launch.attempt,
            streak=launch.streak,
            image=str(image["Id"]),
            variables=variables,
            environment=runtime_environment(config.get("Env") or (), variables, tty=bool(container.get("tty"))),
            mounts=mounts,
            netns=tools.settings.node_netns if pod["spec"].get("hostNetwork") else str(netns_path(uid_of(pod))),
            hostname="" if pod["spec"].get("hostNetwork") else hostname,
            log_path=str(attempt / "log"),
            log_bytes_max=tools.settings.pod_log_bytes_max,
            processes_of=launch.target,
            image_user=str(config.get("User") or ""),
        )

    def _event(self, launch: Launch, reason: str, message: str) -> None:
        self._tools.api.record(launch.pod, "Normal", reason, message, launch.path)

    def _failed(self, launch: Launch, message: str) -> None:
        name = f"{namespace_of(launch.pod)}/{name_of(launch.pod)}"
        self._tools.log.warning("container not started", pod=name, container=launch.container["name"], error=message)
        self._tools.api.record(launch.pod, "Warning", "Failed", message, launch.path)
