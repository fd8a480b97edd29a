"""What no client should send, thousands of times, at a running apiserver: bodies, selectors, headers, paths, bombs.

Nothing of it may bring a 5xx, end the process or make it grow, and others are served all the while. The corpus is drawn
from a seed; a failure names the request.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from kubus_cli.identities import ADMIN

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SEED = 20261122
COUNT = 2400
MEMORY_GROWTH_MAX_MB = 200
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
PATCHES = ("json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
MAPS = "/api/v1/namespaces/default/configmaps"
COLLECTIONS = (
    MAPS,
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/api/v1/nodes",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/batch/v1/namespaces/default/cronjobs",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authentication.k8s.io/v1/tokenreviews",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests",
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
)
SUBRESOURCES = (
    "status",
    "scale",
    "binding",
    "eviction",
    "ephemeralcontainers",
    "resize",
    "log",
    "exec",
    "token",
    "x/y",
)
TEXTS = (
    "",
    "\x00",
    "a" * 300,
    "..",
    "%",
    "🦆" * 40,
    "\u202e",
    "a,b=",
    "=",
    "!",
    "in (",
    "a in (b",
    "a=b=c",
    "-1",
    "9" * 40,
    "1e999",
    "NaN",
    "true",
    "null",
    "{}",
    "\ud7ff",
    "a\nb",
    "'; --",
    "../../etc",
    "${x}",
    "*",
    "/",
)
PARAMETERS = (
    "labelSelector",
    "fieldSelector",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "timeoutSeconds",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "gracePeriodSeconds",
    "propagationPolicy",
    "pretty",
    "includeObject",
    "sendInitialEvents",
    "allowWatchBookmarks",
    "container",
    "command",
    "tailLines",
    "sinceTime",
    "orphanDependents",
    "bogus",
)
HEADERS = (
    "Accept",
    "Content-Type",
    "Accept-Encoding",
    "If-None-Match",
    "Authorization",
    "Impersonate-User",
    "Impersonate-Group",
    "traceparent",
    "User-Agent",
    "Sec-WebSocket-Protocol",
    "Upgrade",
    "Expect",
    "Range",
)


FORMS = (
    PROTOBUF,
    YAML,
    f"{PROTOBUF};q=x,,;",
    f"{JSON};as=Table;v=v1;g=meta.k8s.io",
    f"{PROTOBUF};as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    f"{JSON};as=Bogus;v=v9;g=x",
    ",".join([f"{JSON};q=0.1"] * 300),
)
"""What may be asked of an answer's form."""


class Sent(NamedTuple):
    """A request as it goes over the wire."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def _value(random: Random, depth: int = 0) -> Any:
    """Some JSON value, odd more often than not."""
    choice = random.randrange(9 if depth < 5 else 6)
    if choice == 0:
        return random.choice(TEXTS)
    if choice == 1:
        return random.choice((0, -1, 2**31, 2**63 - 1, -(2**63), 1.5, 1e300))
    if choice in (2, 3):
        return random.choice((None, True, False, [], {}, ""))
    if choice in (4, 5):
        return "".join(
            chr(random.choice((random.randrange(32, 127), random.randrange(0xA0, 0xD000)))) for _ in range(9)
        )
    if choice == 6:
        return [_value(random, depth + 1) for _ in range(random.randrange(4))]
    keys = (
        "metadata",
        "name",
        "namespace",
        "labels",
        "annotations",
        "spec",
        "status",
        "kind",
        "apiVersion",
        "data",
        "containers",
        "template",
        "selector",
        "replicas",
        "rules",
        "ports",
        "finalizers",
        "ownerReferences",
        "managedFields",
        "versions",
        "schema",
        "image",
        "resources",
        "env",
        "uid",
        "resourceVersion",
    )
    return {random.choice(keys): _value(random, depth + 1) for _ in range(random.randrange(6))}


def _object(random: Random) -> dict[str, Any]:
    """An object that is nearly right: odd in one place or two."""
    pod = {"containers": [{"name": "c", "image": "i"}]}
    obj: dict[str, Any] = {"metadata": {"name": f"n{random.randrange(40)}"}, "spec": random.choice((pod, {}))}
    for _ in range(random.randrange(1, 4)):
        where = random.choice((obj, obj["metadata"], *([obj["spec"]] if isinstance(obj.get("spec"), dict) else [])))
        found = _value(random)
        where.update(found if isinstance(found, dict) else {random.choice(("labels", "data", "type")): found})
        if not isinstance(obj.get("metadata"), dict):
            break
    return obj


def _deep(random: Random) -> bytes:
    depth = random.choice((99, 101, 1_000, 100_000))
    return random.choice((b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth + b"]" * depth, b"[" * depth))


def _garbage(random: Random) -> bytes:
    return random.choice(
        (random.randbytes(random.randrange(400)), b"k8s\x00" + random.randbytes(random.randrange(300)))
    )


def _broken_json(random: Random) -> bytes:
    text = json.dumps(_object(random)).encode()
    at = random.randrange(len(text))
    return random.choice((text[:at], text[:at] + b"\xff\xfe" + text[at:], text + text, b"\xef\xbb\xbf" + text))


def _yaml(random: Random) -> bytes:
    bomb = b"a0: &a0 [x,x,x,x,x,x,x,x]\n" + b"".join(
        b"a%d: &a%d [%b]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 9)
    )
    texts = (
        bomb,
        b"a: *b",
        b"? {a: b}\n: c",
        b"!!python/object/apply:os.system [ls]",
        b"<<: 1",
        b"- " * 3000 + b"x",
        b"a: 1\na: 2",
        b"---\na: 1\n---\nb: 2",
        b"\tx: 1",
        b"a: !!binary 4pyT",
        b"{" * 5000,
        b"&a [*a]",
    )
    return random.choice(texts)


def _patch(random: Random) -> bytes:
    operations = [
        {
            "op": random.choice(("add", "remove", "copy", "move", "test", "replace", "bogus", 7)),
            "path": random.choice(
                ("/metadata", "", "x", "/~3", "/spec/containers/-1", "/a/b/c", "/metadata/labels/~1")
            ),
            "from": random.choice(("", "/", "/metadata", "/spec")),
            "value": _value(random),
        }
        for _ in range(random.choice((1, 2, 30)))
    ]
    directives = {
        "$patch": random.choice(("delete", "replace", "x", 1)),
        "$retainKeys": random.choice((["a"], 1)),
        "spec": {"$setElementOrder/containers": [{"name": 1}], "containers": [{"$patch": "delete"}]},
    }
    return json.dumps(random.choice((operations, directives, _value(random), {"spec": directives}))).encode()


def _large(random: Random) -> bytes:
    size = random.choice((60_000, 400_000, 3_000_000, 3_200_000))
    return random.choice(
        (
            b'{"metadata":{"name":"big"},"data":{"a":"' + b"x" * size + b'"}}',
            b"a: [" + b"1," * (size // 8) + b"]",
            b'{"metadata":{"labels":{' + b",".join(b'"k%d":"v"' % i for i in range(size // 40)) + b"}}}",
            b"k8s\x00" + b"\x0a\x02\x0a\x00" * (size // 16),
        )
    )


BODIES: tuple[Callable[[Random], bytes], ...] = (
    lambda random: json.dumps(_object(random)).encode(),
    lambda random: json.dumps(_value(random)).encode(),
    _broken_json,
    _garbage,
    _deep,
    _yaml,
    _patch,
    lambda random: gzip.compress(b"x" * 10_000),
)


def _request(random: Random) -> Sent:
    path = random.choice(COLLECTIONS)
    if random.random() < 0.5:
        path += f"/{quote(random.choice(('n1', 'n2', 'kubernetes', *TEXTS)), safe='')}"
        if random.random() < 0.4:
            path += f"/{random.choice(SUBRESOURCES)}"
    method = random.choice(("GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"))
    query = [(random.choice(PARAMETERS), random.choice(TEXTS)) for _ in range(random.choice((0, 0, 1, 2)))]
    if query:
        path += "?" + "&".join(
            f"{name}={quote(value, safe='') if random.random() < 0.95 else '%zz'}" for name, value in query
        )
    patch = f"application/{random.choice(PATCHES)}"
    media = patch if method == "PATCH" else random.choice((JSON, JSON, YAML, PROTOBUF, patch, "text/html", "", "a;b;c"))
    headers = [("Content-Type", media)]
    if random.random() < 0.2:
        value = random.choice(TEXTS).replace("\n", "").replace("\x00", "").encode().decode("latin-1")
        headers.append((random.choice(HEADERS), value or "x"))
    if random.random() < 0.15:
        headers.append(("Accept", random.choice(FORMS)))
    body = b""
    if method not in ("GET", "HEAD", "OPTIONS"):
        body = (_large if random.random() < 0.015 else random.choice(BODIES))(random)
    return Sent(method, path, tuple(headers), body)


RAW = (
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x00\x01\x02\r\n\r\n",
    b"GET /api HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"GET /api/v1/pods HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET /%00%ff/../.. HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
)


class Client:
    """Sends requests as they are, one at a time, over connections of its own."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        self._port = port
        self._tls = tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, sent: Sent) -> int:
        """The status of the answer; 0 if the connection was ended without one."""
        headers = "".join(f"{name}: {value}\r\n" for name, value in sent.headers)
        head = f"{sent.method} {sent.path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(sent.body)}\r\n\r\n"
        return await self.raw(head.encode("latin-1", errors="replace") + sent.body, method=sent.method)

    async def raw(self, data: bytes, *, method: str = "GET") -> int:
        """The status of the answer to some bytes."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._tls, limit=2**23)
        reader, writer = self._streams
        try:
            writer.write(data)
            async with asyncio.timeout(90):
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = next(
                    (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")), -1
                )
                if (
                    length >= 0
                    and method != "HEAD"
                    and b"application/json" in head
                    and b"connection: close" not in head
                ):
                    await reader.readexactly(length)
                else:
                    self.close()
            return int(head.split()[1])
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            self.close()
            return 0

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
        self._streams = None


def _corpus() -> Iterator[Sent]:
    random = Random(SEED)
    for _ in range(COUNT):
        yield _request(random)


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def test_no_request_breaks_the_apiserver(apiserver):
    tls = ssl.create_default_context(cafile=str(apiserver.directory / "ca.crt"))
    tls.load_cert_chain(apiserver.directory / f"{ADMIN.file}.crt", apiserver.directory / f"{ADMIN.file}.key")
    tls.check_hostname = False
    before = _memory_mb(apiserver.pid)
    waiting, broken, slow = iter(_corpus()), [], []
    done = asyncio.Event()

    async def worker() -> None:
        client = Client(apiserver.port, tls)
        for sent in waiting:
            began = time.perf_counter()
            code = await client.send(sent)
            if code >= 500 and code != 504:
                broken.append((code, sent.method, sent.path, sent.headers, sent.body[:300]))
            if time.perf_counter() - began > 5 and "watch" not in sent.path:
                slow.append((sent.method, sent.path, sent.headers, sent.body[:100]))
        client.close()

    async def somebody_else() -> list[float]:
        client, took = Client(apiserver.port, tls), []
        while not done.is_set():
            began = time.perf_counter()
            assert await client.send(Sent("GET", "/api/v1/namespaces/default")) == 200
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)
        client.close()
        return took

    async with asyncio.TaskGroup() as tasks:
        other = tasks.create_task(somebody_else())
        async with asyncio.TaskGroup() as workers:
            for _ in range(4):
                workers.create_task(worker())
        done.set()
    for data in RAW:
        client = Client(apiserver.port, tls)
        try:
            assert await asyncio.wait_for(client.raw(data), 3) < 500, data[:80]
        except TimeoutError:
            client.close()  # it waits for the rest of what was announced, as it should
    assert not broken, f"{len(broken)} answers of 5xx, seed {SEED}: {broken[:5]}"
    assert not slow, f"answered late: {slow[:5]}"
    assert _memory_mb(apiserver.pid) - before < MEMORY_GROWTH_MAX_MB
    waits = sorted(other.result())
    assert waits[int(len(waits) * 0.9)] < 1.0, f"others waited too long: {waits[-10:]}"
