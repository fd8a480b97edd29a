"""Paths, as Kubernetes' RequestInfo reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_apiserver.doors.routes import route

TABLE = [
    ("GET", "/api/v1/pods", ("list", "", "v1", "pods", "", "", "")),
    ("GET", "/api/v1/namespaces/default/pods", ("list", "", "v1", "pods", "default", "", "")),
    ("POST", "/api/v1/namespaces/default/pods", ("create", "", "v1", "pods", "default", "", "")),
    ("GET", "/api/v1/namespaces/default/pods/web/log", ("get", "", "v1", "pods", "default", "web", "log")),
    ("POST", "/api/v1/namespaces/d/pods/web/eviction", ("create", "", "v1", "pods", "d", "web", "eviction")),
    ("GET", "/apis/apps/v1/namespaces/d/deployments/x/scale", ("get", "apps", "v1", "deployments", "d", "x", "scale")),
    (
        "DELETE",
        "/apis/apps/v1/namespaces/d/deployments",
        ("deletecollection", "apps", "v1", "deployments", "d", "", ""),
    ),
    ("DELETE", "/api/v1/nodes/n1", ("delete", "", "v1", "nodes", "", "n1", "")),
    ("GET", "/api/v1/namespaces", ("list", "", "v1", "namespaces", "", "", "")),
    ("GET", "/api/v1/namespaces/d", ("get", "", "v1", "namespaces", "", "d", "")),
    ("PUT", "/api/v1/namespaces/d/finalize", ("update", "", "v1", "namespaces", "", "d", "finalize")),
    ("PATCH", "/api/v1/namespaces/d/status", ("patch", "", "v1", "namespaces", "", "d", "status")),
    ("GET", "/api/v1/watch/namespaces/d/pods/x", ("watch", "", "v1", "pods", "d", "x", "")),
    ("GET", "/api/v1/nodes/n1/proxy/a/b", ("get", "", "v1", "nodes", "", "n1", "proxy")),
    ("GET", "/version", ("get", "", "", "", "", "", "")),
    ("GET", "/apis/apps/v1", ("get", "", "", "", "", "", "")),
    ("GET", "/api/v1", ("get", "", "", "", "", "", "")),
    ("GET", "/", ("get", "", "", "", "", "", "")),
]


@pytest.mark.parametrize(("method", "path", "expected"), TABLE)
def test_a_path_names_a_resource_or_none(method: str, path: str, expected: tuple[str, ...]) -> None:
    found = route(method, path)
    assert (found.verb, *found[2:]) == expected


def test_a_get_with_watch_is_a_watch() -> None:
    assert route("GET", "/api/v1/pods", watch=True).verb == "watch"


@given(st.text(alphabet="/ab.", max_size=40), st.sampled_from(["GET", "POST", "DELETE", "BREW"]))
def test_no_path_breaks_routing(path: str, method: str) -> None:
    assert route(method, f"/{path}").path == f"/{path}"
