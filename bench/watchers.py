"""Those who listen, in a process of their own: watches over HTTPS, or subscriptions on the bus.

    {"over": "http", "count": 1000, "sampled": 10, …}    or "bus"

Each listener has a connection of its own and hears of the ConfigMaps of one namespace. They read the bytes and count
the marks of events in them, and parse nothing else, so that the client is not what is measured. The `sampled` ones also
note when each numbered ConfigMap (`w-0000042`) came.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any, cast

from bench.children import Parent, run
from bench.http_client import request, tls

HTTP_MARK = b'"name":"w-'
HTTP_NUMBER = re.compile(rb'"name":"w-(\d{7})"')
BUS_MARK = b"MSG kubus.ev.configmaps.core."
BUS_NUMBER = re.compile(rb"MSG kubus\.ev\.configmaps\.core\.[^ ]*\.w-(\d{7}) ")
CONNECTING_AT_ONCE = 20


class Listener(asyncio.Protocol):
    """Counts marks in what arrives, and in a sampled one notes the numbers beside them."""

    def __init__(self, mark: bytes, number: re.Pattern[bytes], *, sampled: bool) -> None:
        self._mark = mark
        self._number = number
        self._keep = (len(mark) + 60) if sampled else len(mark) - 1
        self._sampled = sampled
        self._tail = b""
        self.transport: asyncio.Transport | None = None
        self.opened = asyncio.get_running_loop().create_future()
        self.counted = 0
        self.lost = False
        self.heard: dict[int, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.lost = True

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if not self.opened.done():
            self.opened.set_result(data)
        if data == b"PING\r\n" and self.transport is not None:
            self.transport.write(b"PONG\r\n")
        joined = self._tail + data
        self._tail = joined[-self._keep :]
        if not self._sampled:
            self.counted += joined.count(self._mark)
            return
        now = time.monotonic()
        for found in self._number.finditer(joined):
            self.heard.setdefault(int(found[1]), now)
        self.counted = len(self.heard)


async def http_listener(spec: dict[str, Any], *, sampled: bool) -> Listener:
    """A watch of the namespace's ConfigMaps, from now on."""
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(
        lambda: Listener(HTTP_MARK, HTTP_NUMBER, sampled=sampled),
        "127.0.0.1",
        spec["port"],
        ssl=tls(spec),
        server_hostname="127.0.0.1",
    )
    path = f"/api/v1/namespaces/{spec['namespace']}/configmaps?watch=1&resourceVersion={spec['revision']}"
    assert listener.transport is not None
    listener.transport.write(request("GET", path))
    await listener.opened
    return listener


async def bus_listener(spec: dict[str, Any], *, sampled: bool) -> Listener:
    """A subscription to the namespace's ConfigMaps, by NATS' own protocol."""
    loop = asyncio.get_running_loop()
    plain, listener = await loop.create_connection(
        lambda: Listener(BUS_MARK, BUS_NUMBER, sampled=sampled), "127.0.0.1", spec["nats"]
    )
    await listener.opened  # INFO comes in clear text, then TLS
    secure = await loop.start_tls(plain, listener, tls(spec["bus"]), server_hostname="127.0.0.1")
    if secure is None:
        raise RuntimeError("nats-server took no TLS")
    listener.transport = secure
    options = json.dumps({"verbose": False, "pedantic": False, "headers": True, "lang": "bench", "version": "1"})
    listener.opened = loop.create_future()
    subject = f"kubus.ev.configmaps.core.{spec['namespace']}.>"
    secure.write(f"CONNECT {options}\r\nSUB {subject} 1\r\nPING\r\n".encode())
    if b"-ERR" in await listener.opened:
        raise RuntimeError("nats-server refused")
    return listener


async def main(spec: dict[str, Any], parent: Parent) -> dict[str, Any]:
    """Listen until told to stop."""
    open_one = http_listener if spec["over"] == "http" else bus_listener
    room = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def opened(number: int) -> Listener:
        async with room:
            return await open_one(spec, sampled=number < spec["sampled"])

    listeners = await asyncio.gather(*(opened(number) for number in range(spec["count"])))
    await parent.started()
    cpu = time.process_time()
    await parent.stopped()
    return {
        "events": sum(each.counted for each in listeners),
        "lost": sum(each.lost for each in listeners),
        "cpu": time.process_time() - cpu,
        "heard": [sorted(each.heard.items()) for each in listeners[: spec["sampled"]]],
    }


if __name__ == "__main__":
    run(main)
