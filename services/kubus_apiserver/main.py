"""The apiserver's process: the core on etcd, the HTTPS door, and the bus door as soon as there is a bus.

HTTP does not wait for NATS: no write depends on the bus, so while it is away users are served and services wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from os import urandom
from random import Random

import uvloop

from kubus.bus import Bus
from kubus.model.errors import StatusError
from kubus.model.kinds import Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.sealing import Seals
from kubus.service import Context, run
from kubus.service.figures import publish_quarantined
from kubus.store import StoreError
from kubus.store.etcd import EtcdStore, Tls, connect
from kubus_apiserver.access.audit import AppendedFile, AuditLog
from kubus_apiserver.access.audit_policy import read_policy
from kubus_apiserver.access.tokens import Keys
from kubus_apiserver.aggregation.aggregator import Aggregator
from kubus_apiserver.aggregation.trusted import wanted_data
from kubus_apiserver.bootstrap import bootstrap, bootstrap_flows
from kubus_apiserver.core import Core, build
from kubus_apiserver.doors.body_room import BodyRoom
from kubus_apiserver.doors.busdoor import BusDoor
from kubus_apiserver.doors.health import Checks, fine
from kubus_apiserver.doors.http import HttpDoor, listen, serving_tls
from kubus_apiserver.doors.inflight import Inflight
from kubus_apiserver.doors.ledger import Ledger
from kubus_apiserver.doors.nonresource import NonResource
from kubus_apiserver.doors.rest import Rest
from kubus_apiserver.doors.sharedport import require_own_port
from kubus_apiserver.doors.streams import Streams
from kubus_apiserver.forwarding.forwarder import Forwarder
from kubus_apiserver.sealedstore import SealedStore
from kubus_apiserver.settings import ApiserverSettings

_CHECK_SECONDS = 2.0
"""How long `/readyz` waits for the store."""


def main() -> int:
    """Run the apiserver until it is told to stop; its exit code."""
    return run("apiserver", serve, loop=uvloop.new_event_loop)


async def serve(context: Context) -> None:
    """Serve until the context says stop."""
    settings = context.read(ApiserverSettings)
    store = SealedStore(_store(context), Seals(settings.encryption_keys, urandom))
    core = build(
        store,
        context.clock,
        Random(),
        Registry(builtin_kinds()),
        service_cidr=settings.service_cidr,
        node_ports=settings.node_ports,
        keys=Keys(settings.service_account_keys),
        authority=context.settings.ca_file.read_text() if context.settings.ca_file is not None else "",
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(core.run())
            await _until(context, core.loaded())
            if not context.stop.is_set():
                tasks.create_task(_sealed_anew(context, store))
                await _serve(context, settings, core, tasks)
            following.cancel()
    finally:
        await core.clients.aclose()
        await core.dialler.aclose()
        await store.aclose()


async def _serve(context: Context, settings: ApiserverSettings, core: Core, tasks: asyncio.TaskGroup) -> None:
    host, port = settings.addresses[0]
    address = settings.advertise_address or host
    await _bootstrapped(context, core, settings, address, port)
    streams = Streams(core.watches)
    inflight = Inflight(metrics=context.metrics)
    publish_quarantined(context.metrics, lambda: len(core.cache.quarantined))
    checks: Checks = {"ping": fine, "etcd": partial(_store_answers, core)}
    nonresource = NonResource(
        core.registry,
        core.schemas,
        checks,
        context.metrics,
        f"{address}:{port}",
        keys=core.authenticator.keys,
        foreigners=core.routing.foreigners,
    )
    context.metrics.register(core.gate.webhooks.tally)
    audit = _audit_log(context, settings)
    ledger = Ledger(core.registry, core.cache, Random(), context.metrics)
    rest = Rest(core, nonresource, context.log, audit, inflight, ledger=ledger)
    bodies = BodyRoom(metrics=context.metrics)
    door = HttpDoor(rest, core.watches, streams, Forwarder(core.clients), bodies=bodies)
    runner = door.runner()
    await runner.setup()
    tls = None
    if settings.serving_cert_file is not None and settings.serving_key_file is not None:
        tls = serving_tls(settings.serving_cert_file, settings.serving_key_file, settings.client_ca_file)
    authorities = [] if tls is None else [file for file in (settings.client_ca_file, context.settings.ca_file) if file]
    for each_host, each_port in settings.addresses:
        await require_own_port(each_host, each_port, authorities)
        await listen(runner, each_host, each_port, tls)
    context.ready()
    tidying = tasks.create_task(core.allocations.release_leftovers())
    aggregating = tasks.create_task(_aggregator(settings, core).run())
    on_bus = tasks.create_task(_serve_bus(context, core, streams, audit, inflight))
    try:
        await context.stop.wait()
    finally:
        core.watches.end_all()
        on_bus.cancel()
        tidying.cancel()
        aggregating.cancel()
        await runner.cleanup()


async def _serve_bus(
    context: Context, core: Core, streams: Streams, audit: AuditLog | None, inflight: Inflight
) -> None:
    bus: Bus = await context.bus()
    try:
        streams.bus = core.dialler.bus = bus
        served = await BusDoor(core, context.log, audit, inflight).serve(bus)
        context.log.info("serving on the bus")
        try:
            await context.stop.wait()
        finally:
            await served.aclose()
    finally:
        await bus.aclose()


async def _store_answers(core: Core) -> str:
    """What keeps the store from answering, or this process from hearing it; "" if nothing does."""
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await core.freshness.consistent()
    except StatusError as error:
        return error.message
    except TimeoutError:
        return "the store does not answer in time"
    return ""


async def _bootstrapped(context: Context, core: Core, settings: ApiserverSettings, address: str, port: int) -> None:
    while not context.stop.is_set():
        try:
            await bootstrap(core, settings.service_cidr, address, port)
            await bootstrap_flows(core)
            return
        except StatusError as error:
            context.log.warning("cannot create the first objects yet", reason=error.message)
            await asyncio.sleep(1.0)


async def _sealed_anew(context: Context, store: SealedStore) -> None:
    try:
        if renewed := await store.renew():
            context.log.info("sealed Secrets with the newest key", count=renewed)
    except StoreError as error:
        context.log.warning("some Secrets are still sealed with an older key", reason=str(error))


async def _until(context: Context, done: Coroutine[None, None, None]) -> None:
    """Wait for something, or for the end."""
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(done)
        stopping = tasks.create_task(context.stop.wait())
        await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        stopping.cancel()


def _aggregator(settings: ApiserverSettings, core: Core) -> Aggregator:
    core.routing.front_proxy = settings.front_proxy
    return Aggregator(core, core.routing, wanted_data(settings.client_ca, settings.front_proxy_ca))


def _audit_log(context: Context, settings: ApiserverSettings) -> AuditLog | None:
    policy, log = settings.audit_policy_file, settings.audit_log_file
    if policy is None or log is None:
        return None
    file = AppendedFile(log, context.clock)
    return AuditLog(
        read_policy(policy.read_bytes()), file, context.clock, Random(), log=context.log, metrics=context.metrics
    )


def _store(context: Context) -> EtcdStore:
    tls_files = context.settings.etcd_tls_files
    return connect(context.settings.etcd_endpoints, tls=Tls(*tls_files) if tls_files else None)
