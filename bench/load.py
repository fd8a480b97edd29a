"""Requests over HTTPS, in a process of its own.

    {"work": "create", "connections": 32, "seconds": 5, …}   as many creations as go, each connection one at a time
    {"work": "get", …}                                       as many gets of one object
    {"work": "list", "times": 9, "path": …}                  one list after another
    {"work": "paced", "rate": 500, "seconds": 6, …}          creations by the clock, whatever the answers do

A ConfigMap is of 1 KiB and called `w-0000042` by its number; `acknowledged` tells when each of the paced was answered,
by the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from bench.children import Parent, run
from bench.http_client import Connection, connect, request

FILLER = "x" * 850
WARM_UP_SECONDS = 0.5


def config_map(namespace: str, name: str) -> bytes:
    """The body of a ConfigMap of 1 KiB."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "bench"}},
        "data": {"filler": FILLER},
    }
    return json.dumps(body).encode()


class Load:
    """What all kinds of work share: connections, counts, times."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.seconds: list[float] = []
        self.failed = 0
        self.running = True
        self.path = f"/api/v1/namespaces/{spec['namespace']}/configmaps"
        self._number = int(spec.get("first", 0))
        self._get = request("GET", f"{self.path}/{spec.get('name', '')}")

    def next_request(self) -> bytes:
        """The next request of closed-loop work."""
        if self.spec["work"] == "get":
            return self._get
        self._number += 1
        return self.creation(self._number)

    def creation(self, number: int) -> bytes:
        """The request that creates a ConfigMap."""
        return request("POST", self.path, config_map(self.spec["namespace"], f"w-{number:07}"))

    def answered(self, connection: Connection, status: int, _body: bytes) -> bytes | None:
        """Count, and go on."""
        now = time.monotonic()
        if status >= 300:
            self.failed += 1
        else:
            self.seconds.append(now - connection.sent_at)
        if not self.running:
            return None
        connection.sent_at = now
        return self.next_request()


async def closed_loop(load: Load, parent: Parent) -> dict[str, Any]:
    """Every connection sends its next request when it has its answer."""
    connections = [await connect(load.spec, load.answered) for _ in range(load.spec["connections"])]
    await parent.started()
    for each in connections:
        each.sent_at = time.monotonic()
        each.send(load.next_request())
    await asyncio.sleep(WARM_UP_SECONDS)
    load.seconds.clear()
    began, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(load.spec["seconds"])
    seconds, spent, count = time.monotonic() - began, time.process_time() - cpu, len(load.seconds)
    load.running = False
    return _result(load, count, seconds, spent)


async def paced(load: Load, parent: Parent) -> dict[str, Any]:
    """Creations by the clock; when all connections are busy, the next waits, and that is told."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    acknowledged: list[tuple[int, float]] = []

    def answered(connection: Connection, status: int, body: bytes) -> None:
        load.running = False  # no next request by itself
        load.answered(connection, status, body)
        acknowledged.append((connection.tag, time.monotonic()))
        free.put_nowait(connection)

    for _ in range(load.spec["connections"]):
        free.put_nowait(await connect(load.spec, answered))
    await parent.started()
    rate, total = load.spec["rate"], int(load.spec["rate"] * load.spec["seconds"])
    began, cpu = time.monotonic(), time.process_time()
    for number in range(total):
        pause = began + number / rate - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        connection = await free.get()
        connection.tag, connection.sent_at = number, time.monotonic()
        connection.send(load.creation(number))
    while len(acknowledged) < total:
        await asyncio.sleep(0.01)
    result = _result(load, total, time.monotonic() - began, time.process_time() - cpu)
    return {**result, "acknowledged": acknowledged}


async def one_after_another(load: Load, parent: Parent) -> dict[str, Any]:
    """The same path again and again; how many bytes the last answer had."""
    done: asyncio.Queue[int] = asyncio.Queue()

    def answered(_connection: Connection, status: int, body: bytes) -> None:
        load.failed += status >= 300
        done.put_nowait(len(body))

    connection = await connect(load.spec, answered)
    await parent.started()
    began, cpu, size = time.monotonic(), time.process_time(), 0
    for _ in range(load.spec["times"]):
        sent_at = time.monotonic()
        connection.send(request("GET", load.spec["path"]))
        size = await done.get()
        load.seconds.append(time.monotonic() - sent_at)
    result = _result(load, load.spec["times"], time.monotonic() - began, time.process_time() - cpu)
    return {**result, "bytes": size, "each": load.seconds}


def _result(load: Load, count: int, seconds: float, cpu: float) -> dict[str, Any]:
    ordered = sorted(load.seconds) or [0.0]
    p50, p99 = (ordered[int((len(ordered) - 1) * share)] for share in (0.5, 0.99))
    return {"count": count, "seconds": seconds, "cpu": cpu, "failed": load.failed, "p50": p50, "p99": p99}


async def main(spec: dict[str, Any], parent: Parent) -> dict[str, Any]:
    """The work that the spec names."""
    works = {"create": closed_loop, "get": closed_loop, "paced": paced, "list": one_after_another}
    return await works[spec["work"]](Load(spec), parent)


if __name__ == "__main__":
    run(main)
