"""The bus and what stands on it: publishing, requests, an informer that fills its cache, a session.

    python -m bench.bus [--events 60000]

One nats-server, both ends in this process: what counts is the CPU time a message costs, printed beside the rate.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from typing import Any

from kubus.bus import Bus, Message
from kubus.bus.nats import connect
from kubus.bus.sessions import STDOUT, Session, Work, open_session, serve_sessions
from kubus.bus.subjects import event_subject
from kubus.bus.wire import encode_event
from kubus.client import Listing
from kubus.client.over_bus import BusClient
from kubus.machinery.informer import Informer
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key
from kubus.testing.builders import pod, replicaset
from kubus.testing.nats_server import nats_server


async def timed(name: str, count: int, work: Callable[[], Awaitable[Any]]) -> None:
    """Run, and print the rate and the CPU time."""
    began, cpu = time.perf_counter(), _cpu()
    await work()
    seconds = time.perf_counter() - began
    print(f"{name:42} {count / seconds:10.0f}/s {1e6 * (_cpu() - cpu) / count:8.1f} µs CPU each")


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def publishing(one: Bus, two: Bus, count: int) -> None:
    """From one connection to another."""
    subscription = await two.subscribe("bench.news")

    async def send() -> None:
        for _ in range(count):
            await one.publish("bench.news", bytes(500))

    async def take() -> None:
        taken = 0
        while taken < count:
            taken += len(await subscription.next_batch())

    await timed("publish and receive 500 bytes", count, lambda: asyncio.gather(send(), take()))
    await subscription.aclose()


async def requests(one: Bus, two: Bus, count: int) -> None:
    """One after the other, and 32 at once."""

    async def answer(message: Message) -> bytes:
        return message.data

    await two.serve("bench.ask", answer)

    async def ask(times: int) -> None:
        for _ in range(times):
            await one.request("bench.ask", bytes(500))

    await timed("request, one after the other", count // 8, lambda: ask(count // 8))
    await timed("request, 32 at once", count, lambda: asyncio.gather(*(ask(count // 32) for _ in range(32))))


class Nothing(BusClient):
    """A client of a cluster without pods."""

    async def list(self, *_args: Any, **_options: Any) -> Listing:
        """Nothing is there."""
        return Listing([], 1)


async def informer(one: Bus, two: Bus, count: int) -> None:
    """Pods come and change: from the wire into an indexed cache with a listener."""
    owner = replicaset("web", uid="uid-web")
    messages = []
    for number in range(count):
        name = f"pod-{number % 10_000}"
        made = pod(name, labels={"app": "web"}, node="n1", owner=owner, uid=name, annotations={"filler": "x" * 700})
        event = encode_event("modified", number + 2, number + 1, {"by": "bench"}, made)
        messages.append((event_subject(Key("pods.core", "default", name)), event))
    pods = Informer(two, Nothing(two, "bench"), PODS)
    heard = 0
    done = asyncio.Event()

    def hear(_: object) -> None:
        nonlocal heard
        heard += 1
        if heard == count:
            done.set()

    pods.on_change(hear)
    running = asyncio.ensure_future(pods.run())
    await pods.synced()

    async def send() -> None:
        for subject, data in messages:
            await one.publish(subject, data)

    size = len(messages[0][1])
    await timed(f"informer, events of {size} bytes", count, lambda: asyncio.gather(send(), done.wait()))
    print(f"{'':42} {len(pods.cache)} pods cached, listed {pods.listings} times")
    running.cancel()


async def session(one: Bus, two: Bus, megabytes: int) -> None:
    """A log of so many megabytes from a kubelet."""
    chunk = bytes(32 * 1024)
    count = megabytes * 32

    async def pour(to: Session) -> None:
        for _ in range(count):
            await to.send(STDOUT, chunk)

    async def accept(_: dict[str, Any]) -> Work:
        return pour

    server = await serve_sessions(two, "n1", accept)
    stream = await open_session(one, "n1", {"verb": "log"})

    async def drain() -> None:
        while await stream.receive() is not None:
            pass

    await timed("session, frames of 32 KiB", count, drain)
    await stream.aclose()
    await server.aclose()


async def main(events: int) -> None:
    """All of them, one after the other."""
    async with nats_server() as server:
        one = await connect(server.url, identity="one")
        two = await connect(server.url, identity="two")
        await publishing(one, two, events * 2)
        await requests(one, two, events // 4)
        await informer(one, two, events)
        await session(one, two, 64)
        await one.aclose()
        await two.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000)
    asyncio.run(main(parser.parse_args().events))
