"""The relay as a process: etcd on one side, NATS on the other."""

from __future__ import annotations

import asyncio

from kubus.bus.journal import NatsJournal
from kubus.service import Context, Settings, run
from kubus.store.etcd import Tls, connect
from kubus_relay.relay import Relay


def main() -> int:
    """Run the relay; its exit code."""
    return run("relay", serve)


async def serve(context: Context) -> None:
    """Publish what etcd reports, until told to stop."""
    store = connect(context.settings.etcd_endpoints, tls=_etcd_tls(context.settings))
    bus = await context.bus()

    def tell(why_not: str) -> None:
        if why_not:
            context.not_ready(why_not)
        else:
            context.ready()

    relay = Relay(store, bus, NatsJournal(bus), context.clock, on_state=tell)
    try:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(relay.run())
            await context.stop.wait()
            following.cancel()
    finally:
        await bus.aclose()
        await store.aclose()


def _etcd_tls(settings: Settings) -> Tls | None:
    if settings.ca_file is None:
        return None
    return Tls(str(settings.ca_file), str(settings.cert_file or ""), str(settings.key_file or ""))
