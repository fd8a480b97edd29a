"""Whom a Service means: one of its ready endpoints, as kube-aggregator's ResolveEndpoint finds it.

Aggregated APIs and webhooks are reached by endpoint and not by ClusterIP, so that they work from a machine that knows
nothing of ClusterIPs; an endpoint that is a pod is reached over the bus (`kubus_apiserver.forwarding.dialling`).
Everything is looked up in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from kubus.model.errors import StatusError, not_found
from kubus.model.objects import Key, Object, labels_of, path_of
from kubus_apiserver.reading.watchcache import WatchCache

SERVICES, SLICES, PODS = "services.core", "endpointslices.discovery.k8s.io", "pods.core"
_OF_SERVICE = "kubernetes.io/service-name"


class Destination(NamedTuple):
    """Where to connect."""

    host: str
    port: int
    node: str = ""
    """Of the pod that this is; "" where it is none."""
    namespace: str = ""
    pod: str = ""
    uid: str = ""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Endpoints:
    """Finds endpoints of Services."""

    def __init__(self, cache: WatchCache, random: Random) -> None:
        self._cache = cache
        self._random = random

    def of_service(self, namespace: str, name: str, port: int) -> Destination:
        """A ready endpoint behind a port of a Service; the host that it stands for, if it is an ExternalName.

        Raises:
            StatusError: 404, 503.
        """
        service = self.service(namespace, name)
        kind = path_of(service, "spec", "type", default="ClusterIP")
        if kind == "ExternalName":
            return Destination(str(path_of(service, "spec", "externalName", default="")), port)
        return self.behind(namespace, name, port_name(service, port))

    def behind(self, namespace: str, name: str, port: str, *, pods_only: bool = False) -> Destination:
        """A ready endpoint behind a Service's port of a name.

        Raises:
            StatusError: 503, there is none.
        """
        found = [each for each in self._ready(namespace, name, port) if each.uid or not pods_only]
        if not found:
            raise none_available(name)
        return self._random.choice(found)

    def service(self, namespace: str, name: str) -> Object:
        """A Service.

        Raises:
            StatusError: 404.
        """
        entry = self._cache.get(Key(SERVICES, namespace, name))
        if entry is None:
            raise not_found("services", "", name)
        return entry.object

    def slices(self, namespace: str, name: str) -> list[Object]:
        """The slices of a Service."""
        entries = self._cache.collection(SLICES).select(namespace)
        return [entry.object for entry in entries if labels_of(entry.object).get(_OF_SERVICE) == name]

    def _ready(self, namespace: str, name: str, port: str) -> Iterator[Destination]:
        for each in self.slices(namespace, name):
            for number in numbers(each, port):
                for endpoint in each.get("endpoints") or ():
                    if is_ready(endpoint):
                        yield self._destination(namespace, endpoint, number)

    def _destination(self, namespace: str, endpoint: Object, port: int) -> Destination:
        address, target = endpoint["addresses"][0], endpoint.get("targetRef") or {}
        if target.get("kind") == "Pod":
            entry = self._cache.get(Key(PODS, target.get("namespace") or namespace, target.get("name") or ""))
            if entry is not None and address in addresses_of(entry.object):
                return to_pod(entry.object, port, address)
        return Destination(address, port)


def to_pod(pod: Object, port: int, address: str = "") -> Destination:
    """Where a pod's port is."""
    meta = pod["metadata"]
    host = address or path_of(pod, "status", "podIP", default="")
    node = path_of(pod, "spec", "nodeName", default="")
    return Destination(host, port, node, meta.get("namespace") or "", meta["name"], meta["uid"])


def addresses_of(pod: Object) -> list[str]:
    """Every address of a pod."""
    many = path_of(pod, "status", "podIPs", default=())
    return [each["ip"] for each in many if each.get("ip")] or [path_of(pod, "status", "podIP", default="")]


def is_ready(endpoint: Object) -> bool:
    """Whether an endpoint takes connections; one that does not say so does."""
    return path_of(endpoint, "conditions", "ready", default=True) is not False and bool(endpoint.get("addresses"))


def numbers(slice_: Object, port: str) -> Iterator[int]:
    """The number, if there is one, of a slice's port of a name."""
    for each in slice_.get("ports") or ():
        if (each.get("name") or "") == port and each.get("port"):
            yield int(each["port"])


def port_name(service: Object, port: int) -> str:
    """The name of a Service's port.

    Raises:
        StatusError: 503, it has no such port.
    """
    for each in path_of(service, "spec", "ports", default=()):
        if each.get("port") == port:
            return str(each.get("name") or "")
    name = service["metadata"]["name"]
    raise not_reached(f'no service port {port} found for service "{name}"')


def not_reached(words: str) -> StatusError:
    """503 without advice to come again: what is missing is not this server's."""
    return StatusError(503, "ServiceUnavailable", words)


def none_available(name: str) -> StatusError:
    """A Service without anybody behind it."""
    return not_reached(f'no endpoints available for service "{name}"')
