"""One cluster of two nodes for what Kubernetes' conformance list says of the API, and a small client for it.

kubectl takes a tenth of a second to start, so most of these tests speak HTTP: one connection, kept open, as the
administrator or as somebody else.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import ssl
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.e2e.cluster.conftest import Cluster, _cluster, image

__all__ = ["image"]

Object = dict[str, Any]
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Answer:
    """What the API said."""

    def __init__(self, code: int, headers: dict[str, str], body: bytes) -> None:
        self.code = code
        self.headers = headers
        self.body = body

    @property
    def object(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"{self.code} {self.body.decode(errors='replace')[:600]}"


def _has_news(sock: socket.socket | None) -> bool:
    return sock is None or bool(select.select([sock], [], [], 0)[0])


class Api:
    """The API over one connection, made anew where the server has closed an idle one."""

    def __init__(self, cluster: Cluster, *, certificate: str = "admin", headers: dict[str, str] | None = None) -> None:
        view = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json").stdout)
        self._address = view["clusters"][0]["cluster"]["server"].removeprefix("https://")
        pki = cluster.home / "pki"
        self.tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        if certificate:
            self.tls.load_cert_chain(pki / f"{certificate}.crt", pki / f"{certificate}.key")
        self._headers = headers or {}
        self._connection: http.client.HTTPSConnection | None = None

    def alike(self, **headers: str) -> Api:
        """The same identity with further headers, `_` for `-`: somebody else, by impersonation."""
        other = Api.__new__(Api)
        other._address, other.tls, other._connection = self._address, self.tls, None
        other._headers = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return other

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._address, context=self.tls, timeout=90)

    def call(self, method: str, path: str, body: Any = None, content: str = "application/json", **query: Any) -> Answer:
        """One request; whatever comes back."""
        target = f"{path}?{urlencode(query)}" if query else path
        data = None if body is None else json.dumps(body)
        if self._connection is not None and _has_news(self._connection.sock):  # nothing is due: it is the end
            self._connection.close()
            self._connection = None
        connection, self._connection = self._connection or self._connect(), None
        connection.request(method, target, data, {"Content-Type": content, **self._headers})
        answer = connection.getresponse()
        found = Answer(answer.status, dict(answer.getheaders()), answer.read())
        self._connection = connection  # kept only if it is at the end of an answer
        return found

    def ok(self, method: str, path: str, body: Any = None, content: str = "application/json", **query: Any) -> Any:
        """One request that succeeds; its object."""
        answer = self.call(method, path, body, content, **query)
        assert answer.code in (200, 201, 202), f"{method} {path}: {answer}"
        return answer.object

    def get(self, path: str, **query: Any) -> Any:
        """Read something that is there."""
        return self.ok("GET", path, **query)

    def create(self, path: str, body: Object) -> Any:
        """Create something."""
        return self.ok("POST", path, body)

    def patch(self, path: str, body: Any, content: str = MERGE) -> Any:
        """Change something."""
        return self.ok("PATCH", path, body, content)

    def update(self, path: str, change: Callable[[Any], Any]) -> Any:
        """Read, change in place and put back, again where a controller was quicker."""
        while True:
            found = self.get(path)
            change(found)
            answer = self.call("PUT", path, found)
            if answer.code != 409:
                assert answer.code == 200, answer
                return answer.object

    def refused(self, code: int, method: str, path: str, body: Any = None, content: str = "application/json") -> str:
        """The message of a refusal."""
        answer = self.call(method, path, body, content)
        assert answer.code == code, f"{method} {path}: {answer}"
        assert answer.object["kind"] == "Status", answer
        return str(answer.object["message"])

    @contextmanager
    def watch(self, path: str, **query: Any) -> Iterator[Watch]:
        """A watch; it ends with the block."""
        connection = self._connect()
        connection.request("GET", f"{path}?{urlencode({'watch': 1, **query})}", headers=self._headers)
        try:
            yield Watch(connection.getresponse())
        finally:
            connection.close()


class Watch:
    """Events as they come."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        assert answer.status == 200, answer.read()
        self._answer = answer

    def next(self, kind: str = "") -> Any:
        """The next event's object; of a type, skipping others if one is named."""
        while True:
            line = self._answer.readline()
            assert line, f"the watch ended before {kind or 'an event'}"
            event = json.loads(line)
            if kind in ("", event["type"]):
                return event["object"] if kind else event

    def until(self, kind: str, wanted: Any) -> Any:
        """The first object of a type for which `wanted` is true."""
        while not wanted(found := self.next(kind)):
            pass
        return found


@pytest.fixture(scope="session")
def two_nodes(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two nodes."""
    yield from _cluster(2, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="session")
def api(two_nodes: Cluster) -> Api:
    """The API, as the administrator."""
    return Api(two_nodes)


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"c-{uuid.uuid4().hex[:8]}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    api.call("DELETE", f"/api/v1/namespaces/{name}")
