"""The relay as a process: etcd on one side, NATS on the other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from random import Random

from prometheus_client import CollectorRegistry, Gauge

from kubus.bus.journal import NatsJournal
from kubus.client.over_bus import BusClient
from kubus.service import Context, run
from kubus.store.etcd import Tls, connect
from kubus_relay.relay import Relay
from kubus_relay.standby import Standby, standby_terms


def main() -> int:
    """Run the relay; its exit code."""
    return run("relay", serve)


async def serve(context: Context) -> None:
    """Publish what etcd reports, until told to stop."""
    tls_files = context.settings.etcd_tls_files
    store = connect(context.settings.etcd_endpoints, tls=Tls(*tls_files) if tls_files else None)
    bus = await context.bus()

    def tell(why_not: str) -> None:
        context.show(f"without a journal, live events only: {failure}" if (failure := relay.journal_failure) else "")
        if why_not:
            context.not_ready(why_not)
        else:
            context.ready()

    relay = Relay(store, bus, NatsJournal(bus), context.clock, on_state=tell)
    publish_figures(relay, context.metrics)
    client = BusClient(bus, context.settings.identity, manager=context.name, timeout_seconds=2.0, patience_seconds=0.0)
    terms = standby_terms(f"{socket.gethostname()}_{context.instance}", Random())
    standby = Standby(client, context.clock, terms, able=lambda: relay.following)

    def wait(what: str) -> None:
        context.show(what)
        context.ready()

    try:
        async with asyncio.TaskGroup() as group:
            publishing = group.create_task(standby.run(relay.run, on_waiting=wait))
            await context.stop.wait()
            publishing.cancel()
    finally:
        await bus.aclose()
        await store.aclose()


def publish_figures(relay: Relay, metrics: CollectorRegistry) -> None:
    """Give the relay's figures to Prometheus, read when it asks."""
    figures: tuple[tuple[str, str, Callable[[], float]], ...] = (
        ("revision", "The store's revision up to which everything has been published.", lambda: relay.position),
        ("messages", "Messages published so far, copies for nodes included.", lambda: relay.published),
        ("journal_up", "Whether the journal takes events.", lambda: not relay.journal_failure),
        (
            "unreadable",
            "Changes published without an object because their value was no record.",
            lambda: relay.unreadable,
        ),
    )
    for name, meaning, read in figures:
        Gauge(f"kubus_relay_{name}", meaning, registry=metrics).set_function(read)
