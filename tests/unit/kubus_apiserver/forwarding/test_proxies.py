"""What a proxy's path leads to."""

from __future__ import annotations

from random import Random

import pytest
from tests.unit.kubus_apiserver.forwarding.test_endpoints import POD, SERVICE, cache_of, endpoint, slice_

from kubus.model.codec import Raw, pack
from kubus.model.errors import StatusError
from kubus.model.objects import Key, Object
from kubus.model.records import store_key
from kubus.store import StoreChange
from kubus_apiserver.doors.routes import route
from kubus_apiserver.forwarding.dialling import Dialler
from kubus_apiserver.forwarding.endpoints import Destination, Endpoints
from kubus_apiserver.forwarding.proxies import Proxied, Proxies, is_proxy, is_proxyable, path_behind, proxied

WEB = {**POD, "metadata": {**POD["metadata"], "name": "web"}}
CONTAINERS = [{"name": "a"}, {"name": "b", "ports": [{"containerPort": 9000}]}]
SECOND_PORT = {**WEB, "spec": {"nodeName": "n1", "containers": CONTAINERS}}


def proxies(*pods: Object) -> Proxies:
    """Over a cache with a Service `web` and these pods."""
    slices = [slice_(endpoint("10.0.0.1", "web"), endpoint("10.9.9.9"))]
    cache = cache_of(services=[SERVICE], slices=slices, pods=list(pods))
    return Proxies(cache, Endpoints(cache, Random(1)), Dialler())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web", Proxied("", "web", "")),
        ("web:80", Proxied("", "web", "80")),
        ("https:web:443", Proxied("https", "web", "443")),
        ("https:web:", Proxied("https", "web", "")),
        (":web:", Proxied("", "web", "")),
        ("ftp:web:21", None),
        ("a:b:c:d", None),
        ("http::80", None),
    ],
)
def test_names_have_a_scheme_and_a_port(name: str, expected: Proxied | None) -> None:
    assert proxied(name) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", True),
        ("fd00::1", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("169.254.169.254", False),
        ("fe80::1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_addresses_of_the_machine_are_not_dialled(address: str, expected: bool) -> None:
    assert is_proxyable(address) is expected


@pytest.mark.parametrize(
    ("name", "scheme", "port"),
    [("web", "http", 80), ("https:web:", "https", 443), ("web:8080", "http", 8080), ("https:web:8443", "https", 8443)],
)
def test_a_pod_is_dialled_on_the_port_that_is_said_or_usual(name: str, scheme: str, port: int) -> None:
    assert proxies(WEB).of_pod("a", name) == (scheme, Destination("10.0.0.1", port, "n1", "a", "web", "u1"))


def test_without_a_port_it_is_the_first_that_a_container_has() -> None:
    assert proxies(SECOND_PORT).of_pod("a", "web")[1].port == 9000


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("a:b:c:d", 400, 'invalid pod request "a:b:c:d"'),
        ("none", 404, 'pods "none" not found'),
        ("web:http", 503, "lookup tcp/http: unknown port"),
        ("web:70000", 503, "unknown port"),
    ],
)
def test_a_pod_that_is_not_meant_is_refused(name: str, code: int, words: str) -> None:
    with pytest.raises(StatusError, match=words) as refused:
        proxies(WEB).of_pod("a", name)
    assert refused.value.code == code


def test_a_pod_that_claims_the_machines_own_address_is_not_dialled() -> None:
    false = {**WEB, "status": {"podIP": "169.254.169.254"}}
    with pytest.raises(StatusError, match="address not allowed") as refused:
        proxies(false).of_pod("a", "web")
    assert refused.value.code == 400


@pytest.mark.parametrize("name", ["web:http", "web:80", "https:web:80"])
def test_a_service_leads_to_its_pods_and_to_nothing_else(name: str) -> None:
    scheme, destination = proxies(WEB).of_service("a", name)
    assert scheme == ("https" if name.startswith("https") else "http")
    assert destination.uid == "u1", "the endpoint that names no pod is passed over"


def test_a_request_goes_on_under_the_path_behind_the_proxy() -> None:
    found = route("GET", "/api/v1/namespaces/a/services/https:web:80/proxy/x/y")
    forward = proxies(WEB).forward(found)
    assert (forward.base, forward.skip) == ("https://10.0.0.1:8080", 7)
    assert forward.outside == "/api/v1/namespaces/a/services/https:web:80/proxy"
    assert path_behind(found) == "x/y"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/namespaces/a/pods/web/proxy", True),
        ("/api/v1/namespaces/a/services/web/proxy/x", True),
        ("/api/v1/namespaces/a/pods/proxy", False),
        ("/api/v1/namespaces/a/configmaps/web/proxy", False),
        ("/apis/example.com/v1/namespaces/a/pods/web/proxy", False),
    ],
)
def test_a_proxy_is_known_by_its_path(path: str, expected: bool) -> None:
    assert is_proxy(route("GET", path)) is expected


NODE = {"metadata": {"name": "n1"}}


def node_proxies() -> Proxies:
    """Over a cache with a node."""
    cache = cache_of()
    cache.apply([StoreChange(store_key(Key("nodes.core", "", "n1")), pack([1, {}, Raw(pack(NODE))]), 5, 5, None)])
    return Proxies(cache, Endpoints(cache, Random(1)), Dialler())


@pytest.mark.parametrize("name", ["n1", "n1:10250", "https:n1:10250"])
def test_a_question_to_a_node_goes_to_its_kubelet(name: str) -> None:
    found = route("GET", f"/api/v1/nodes/{name}/proxy/stats/x")
    assert node_proxies().of_node(found) == ("n1", {"verb": "ask", "path": "/stats/x"})


@pytest.mark.parametrize(
    ("method", "name", "code"),
    [("GET", "none", 404), ("GET", "n1:22", 400), ("GET", "a:b:c:d", 400), ("PUT", "n1", 405)],
)
def test_a_node_has_no_ports_to_be_reached(method: str, name: str, code: int) -> None:
    with pytest.raises(StatusError) as refused:
        node_proxies().of_node(route(method, f"/api/v1/nodes/{name}/proxy/pods"))
    assert refused.value.code == code
