"""What the workers of one node share: its doors to Podman, the kernel, the disk and the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from kubus.model.objects import Object
from kubus.model.times import Clock
from kubus.service.logs import Logger
from kubus.service.netns import NodeNamespace
from kubus_kubelet.blocking import Blocking
from kubus_kubelet.engine import Engine
from kubus_kubelet.exits import Exits
from kubus_kubelet.handlers import Handlers
from kubus_kubelet.image_pulls import ImagePulls
from kubus_kubelet.pod_addresses import PodAddresses
from kubus_kubelet.references import Reference
from kubus_kubelet.settings import KubeletSettings, NodePaths

EventType = Literal["Normal", "Warning"]


class PodApi(Protocol):
    """What the kubelet asks of the API, and tells it, about pods."""

    async def fetch(self, namespace: str, reference: Reference, *, fresh: bool = False) -> Object | None:
        """A ConfigMap or Secret, perhaps a few seconds old; None if there is none.

        Raises:
            StatusError: the API gives no answer.
        """

    async def token(self, pod: Object, audience: str, seconds: int) -> str:
        """A token of the pod's ServiceAccount.

        Raises:
            StatusError
        """

    async def node(self, *, fresh: bool = False) -> Object:
        """This node's object, perhaps some seconds old unless it has to be fresh.

        Raises:
            StatusError: the API gives no answer, or has no such node (yet).
        """

    async def api_environment(self) -> dict[str, str]:
        """KUBERNETES_SERVICE_HOST and its kin; {} where there is no Service `kubernetes`."""

    async def report(self, pod: Object, status: Object) -> None:
        """Write a pod's status.

        Raises:
            StatusError
        """

    async def finish(self, pod: Object) -> None:
        """Delete a pod that has left the node, with grace 0 and its uid as a condition.

        Raises:
            StatusError
        """

    def record(self, pod: Object, type: EventType, reason: str, message: str, container: str = "") -> None:
        """An Event about a pod, or one of its containers; never waits."""


@dataclass(frozen=True)
class NodeTools:
    """Handed to every worker."""

    settings: KubeletSettings
    paths: NodePaths
    clock: Clock
    log: Logger
    engine: Engine
    pulls: ImagePulls
    addresses: PodAddresses
    exits: Exits
    blocking: Blocking
    handlers: Handlers
    namespace: NodeNamespace
    """Where the node's connections begin."""
    api: PodApi
    cpu_millis: int
    memory_bytes: int
