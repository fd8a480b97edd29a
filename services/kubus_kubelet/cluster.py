"""The kubelet's view of the API: `PodApi` over a client.

ConfigMaps and Secrets are fetched by name when a pod needs them and kept for a few seconds, so that a hundred pods
that start together ask once. What is not there is not kept: it may come in the next second.
"""

from __future__ import annotations

import asyncio

from kubus.client import Client, Why
from kubus.machinery.recorder import Recorder
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.secrets import KIND as SECRETS
from kubus.model.kinds.serviceaccounts import KIND as SERVICE_ACCOUNTS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object, name_of, namespace_of, path_of, revision_of, uid_of
from kubus.model.times import Clock
from kubus_kubelet.node_tools import EventType
from kubus_kubelet.references import Reference

KEPT_SECONDS = 5.0
ENVIRONMENT_SECONDS = 60.0
RENEW_TOKEN_AT = 0.8
SOURCE = "kubelet"


class ClusterApi:
    """`PodApi` for one node."""

    def __init__(self, client: Client, recorder: Recorder, clock: Clock, node_name: str) -> None:
        self._client = client
        self._recorder = recorder
        self._clock = clock
        self._kept: dict[tuple[str, Reference], tuple[float, Object]] = {}
        self._locks: dict[tuple[str, Reference], asyncio.Lock] = {}
        self._tokens: dict[tuple[str, str, int], tuple[float, str]] = {}
        self._environment: tuple[float, dict[str, str]] = (0.0, {})
        self._node_name = node_name
        self._node: tuple[float, Object] | None = None

    async def fetch(self, namespace: str, reference: Reference, *, fresh: bool = False) -> Object | None:
        """A ConfigMap or Secret; see `PodApi.fetch`."""
        key = (namespace, reference)
        async with self._locks.setdefault(key, asyncio.Lock()):
            now = self._clock.monotonic()
            if not fresh and key in self._kept and now - self._kept[key][0] < KEPT_SECONDS:
                return self._kept[key][1]
            self._kept.pop(key, None)
            kind = CONFIGMAPS if reference.source == "configmap" else SECRETS
            found = await self._get(kind, namespace, reference.name)
            if found is not None:
                self._kept[key] = (now, found)
            return found

    async def token(self, pod: Object, audience: str, seconds: int) -> str:
        """A token of the pod's ServiceAccount, kept for most of its life."""
        key, now = (uid_of(pod), audience, seconds), self._clock.monotonic()
        self._tokens = {each: found for each, found in self._tokens.items() if found[0] > now}
        if key in self._tokens:
            return self._tokens[key][1]
        request: Object = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"namespace": namespace_of(pod)},
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": seconds,
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": name_of(pod), "uid": uid_of(pod)},
            },
        }
        account = pod["spec"].get("serviceAccountName") or "default"
        made = await self._client.create(SERVICE_ACCOUNTS, request, subresource="token", name=account, why=_why(pod))
        token = str(made["status"]["token"])
        self._tokens[key] = (now + seconds * RENEW_TOKEN_AT, token)
        return token

    async def node(self, *, fresh: bool = False) -> Object:
        """This node's object; see `PodApi.node`."""
        now = self._clock.monotonic()
        if self._node is None or fresh or now >= self._node[0]:
            self._node = (now + KEPT_SECONDS, await self._client.get(NODES, "", self._node_name))
        return self._node[1]

    async def api_environment(self) -> dict[str, str]:
        """Where the API is for programs in pods."""
        now = self._clock.monotonic()
        if now >= self._environment[0]:
            service = await self._get(SERVICES, "default", "kubernetes")
            found = api_environment_of(service) if service is not None else {}
            kept = ENVIRONMENT_SECONDS if found else KEPT_SECONDS
            self._environment = (now + kept, found)
        return self._environment[1]

    async def report(self, pod: Object, status: Object) -> None:
        """Write a pod's status, if it is still this pod."""
        await self._client.patch(
            PODS,
            namespace_of(pod),
            name_of(pod),
            {"metadata": {"uid": uid_of(pod)}, "status": status_patch(status)},
            patch_type="strategic",
            subresource="status",
            why=_why(pod),
        )

    async def finish(self, pod: Object) -> None:
        """Delete a pod for good; that it is gone already, or another of the same name is there, is success."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid_of(pod)}}
        try:
            await self._client.delete(PODS, namespace_of(pod), name_of(pod), options=options, why=_why(pod))
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    def record(self, pod: Object, type: EventType, reason: str, message: str, container: str = "") -> None:
        """An Event about a pod."""
        self._recorder.record(pod, reason, message, type, SOURCE)

    async def _get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        try:
            return await self._client.get(kind, namespace, name)
        except StatusError as error:
            if error.code == 404:
                return None
            raise


def status_patch(status: Object) -> Object:
    """A whole status as a strategic merge patch: addresses, which merge by their value, are replaced."""
    whole: Object = {key: [*status[key], {"$patch": "replace"}] for key in ("podIPs", "hostIPs") if key in status}
    return {**status, **whole}


def _why(pod: Object) -> Why:
    return Why(cause=revision_of(pod) or None)


def api_environment_of(service: Object) -> dict[str, str]:
    """The variables that client libraries look for in a pod."""
    host = str(path_of(service, "spec", "clusterIP", default=""))
    ports = path_of(service, "spec", "ports", default=[])
    if not host or host == "None" or not ports:
        return {}
    port = str(ports[0]["port"])
    return {
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_SERVICE_PORT_HTTPS": port,
        "KUBERNETES_PORT": f"tcp://{host}:{port}",
        f"KUBERNETES_PORT_{port}_TCP": f"tcp://{host}:{port}",
        f"KUBERNETES_PORT_{port}_TCP_PROTO": "tcp",
        f"KUBERNETES_PORT_{port}_TCP_PORT": port,
        f"KUBERNETES_PORT_{port}_TCP_ADDR": host,
    }
