"""The proxy subresources: which pod, Service or node a path leads to, and by which address.

    /api/v1/namespaces/NS/pods/[SCHEME:]NAME[:PORT]/proxy/PATH
    /api/v1/namespaces/NS/services/[SCHEME:]NAME[:PORT]/proxy/PATH     PORT: a name, or a number of the Service's
    /api/v1/nodes/NAME/proxy/PATH                                      answered by the kubelet, without a connection

Nothing but pods is ever dialled: an endpoint that names no pod, or an address that the pod does not have, is passed
over, and an address of the machine's own (loopback, link-local, multicast) is refused, so that nobody reaches through
the apiserver what only the apiserver reaches. Servers are not asked for certificates, as nobody knows who signed them.

https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache, partial
from ipaddress import IPv4Address, ip_address
from typing import NamedTuple

from kubus.model.errors import bad_request, method_not_allowed, not_found
from kubus.model.objects import Key, Object, path_of
from kubus_apiserver.doors.routes import Route
from kubus_apiserver.forwarding.dialling import Dialler
from kubus_apiserver.forwarding.endpoints import (
    PODS,
    SERVICES,
    Destination,
    Endpoints,
    none_available,
    not_reached,
    port_name,
    to_pod,
)
from kubus_apiserver.forwarding.forwards import Forward, rest_of
from kubus_apiserver.reading.watchcache import WatchCache

NODES = "nodes.core"
MARK = "/proxy"
"""In every path of a proxy."""
_SEGMENTS, _NODE_SEGMENTS = 7, 5
"""Of `api/v1/namespaces/NS/pods/NAME/proxy`, and of `api/v1/nodes/NAME/proxy`."""
_KUBELET_PORT = "10250"
_BROADCAST = IPv4Address("255.255.255.255")
_PORTS = {"http": 80, "https": 443}


class Proxied(NamedTuple):
    """`https:web:8443`, in parts; "" for what is not said."""

    scheme: str
    name: str
    port: str


def is_proxy(found: Route) -> bool:
    """Whether a route leads through a proxy."""
    return found.subresource == "proxy" and not found.group and found.resource in ("pods", "services", "nodes")


def proxied(name: str) -> Proxied | None:
    """The parts of a name in a proxy's path; None if it is none."""
    parts = name.split(":")
    scheme, port = "", ""
    if len(parts) == 2:
        name, port = parts
    elif len(parts) == 3:
        scheme, name, port = parts
    elif len(parts) > 3:
        return None
    if not name or scheme not in ("", "http", "https"):
        return None
    return Proxied(scheme, name, port)


def is_proxyable(address: str) -> bool:
    """Whether a proxy may dial an address: no loopback, link-local, multicast or unspecified one."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    of_the_machine = found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified
    return not of_the_machine and found != _BROADCAST


def path_behind(found: Route) -> str:
    """What follows the proxy in a path, without its leading slash."""
    return rest_of(found.path, _NODE_SEGMENTS if found.resource == "nodes" else _SEGMENTS).removeprefix("/")


class Proxies:
    """Finds what a proxy's path leads to."""

    def __init__(self, cache: WatchCache, endpoints: Endpoints, dialler: Dialler) -> None:
        self._cache = cache
        self._endpoints = endpoints
        self._dialler = dialler
        self._finders: dict[str, Callable[[str, str], tuple[str, Destination]]] = {
            "pods": self.of_pod,
            "services": self.of_service,
        }

    def forward(self, found: Route) -> Forward:
        """Where a proxy's request goes.

        Raises:
            StatusError: 400, 404, 503.
        """
        scheme, destination = self._finders[found.resource](found.namespace, found.name)
        return Forward(
            base=f"{scheme}://{destination}",
            skip=_SEGMENTS,
            tls=unverified() if scheme == "https" else None,
            dial=partial(self._dialler.dial, destination),
            outside=f"/api/v1/namespaces/{found.namespace}/{found.resource}/{found.name}/proxy",
        )

    def of_node(self, found: Route) -> tuple[str, Object]:
        """(node, call) of a question to a kubelet.

        Raises:
            StatusError: 400, 404, 405.
        """
        asked = proxied(found.name)
        if asked is None or asked.port not in ("", _KUBELET_PORT):
            raise bad_request(f'invalid node request "{found.name}"')
        if self._cache.get(Key(NODES, "", asked.name)) is None:
            raise not_found("nodes", "", asked.name)
        if found.verb != "get":
            raise method_not_allowed()
        return asked.name, {"verb": "ask", "path": f"/{path_behind(found)}"}

    def of_pod(self, namespace: str, name: str) -> tuple[str, Destination]:
        """(scheme, where) of a pod.

        Raises:
            StatusError: 400, 404, 503.
        """
        asked = proxied(name)
        if asked is None:
            raise bad_request(f'invalid pod request "{name}"')
        pod = self._pod(namespace, asked.name)
        scheme = asked.scheme or "http"
        port = asked.port or str(_first_port(pod) or _PORTS[scheme])
        address = path_of(pod, "status", "podIP", default="")
        if not is_proxyable(address):
            raise bad_request("address not allowed")
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise not_reached(f"error trying to reach service: dial tcp: lookup tcp/{port}: unknown port")
        return scheme, to_pod(pod, int(port))

    def of_service(self, namespace: str, name: str) -> tuple[str, Destination]:
        """(scheme, where) of one of a Service's ready pods.

        Raises:
            StatusError: 400, 404, 503.
        """
        asked = proxied(name)
        if asked is None:
            raise bad_request(f'invalid service request "{name}"')
        port = asked.port
        if port.isascii() and port.isdigit():
            port = port_name(self._endpoints.service(namespace, asked.name), int(port))
        elif self._cache.get(Key(SERVICES, namespace, asked.name)) is None:
            raise not_found("endpoints", "", asked.name)
        destination = self._endpoints.behind(namespace, asked.name, port, pods_only=True)
        if not is_proxyable(destination.host):
            raise none_available(asked.name)
        return asked.scheme or "http", destination

    def _pod(self, namespace: str, name: str) -> Object:
        entry = self._cache.get(Key(PODS, namespace, name))
        if entry is None:
            raise not_found("pods", "", name)
        return entry.object


def _first_port(pod: Object) -> int:
    containers = path_of(pod, "spec", "containers", default=())
    return next((int(each["ports"][0]["containerPort"]) for each in containers if each.get("ports")), 0)


@cache
def unverified() -> ssl.SSLContext:
    """TLS without knowing the other side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
