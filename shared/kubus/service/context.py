"""What a service is given: its settings, its doors to the world, and the means to say that it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry

from kubus.bus import Bus
from kubus.client import Client
from kubus.model.times import Clock
from kubus.service import settings as settings_module
from kubus.service.logs import Logger
from kubus.service.settings import Settings

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")


class Context:
    """Handed to a service's main function; see `kubus.service.run`."""

    def __init__(
        self,
        *,
        name: str,
        settings: Settings,
        environ: Mapping[str, str],
        clock: Clock,
        log: Logger,
        metrics: CollectorRegistry,
        on_ready: Callable[[bool, str], None],
    ) -> None:
        self.name = name
        self.settings = settings
        self.environ = environ
        self.clock = clock
        self.log = log
        self.metrics = metrics
        self.stop = asyncio.Event()
        """Set on SIGTERM and SIGINT: return soon."""
        self.reason_not_ready = "starting"
        self.started = False
        """True once it has been ready."""
        self._on_ready = on_ready
        self._shown = ""

    @property
    def instance(self) -> str:
        """The name of this process among several of the service."""
        return self.settings.instance or self.name

    def read(self, cls: type[T]) -> T:
        """The service's own settings, from the same environment.

        Raises:
            SettingsError
        """
        return settings_module.read(cls, self.environ)

    def ready(self) -> None:
        """From now on /readyz answers 200, and the supervisor knows."""
        self.started = True
        if self.reason_not_ready:
            self.reason_not_ready = ""
            self.log.info("ready")
            self._on_ready(True, self._shown)

    def show(self, state: str) -> None:
        """What `kubus status` shows beside "ready", like what a stand-by waits for; "" for nothing."""
        if state != self._shown:
            self._shown = state
            self.log.info(state or "waits no longer")
            if not self.reason_not_ready:
                self._on_ready(True, state)

    def not_ready(self, reason: str) -> None:
        """From now on /readyz answers 503 with the reason."""
        if self.reason_not_ready != reason:
            was_ready = not self.reason_not_ready
            self.reason_not_ready = reason or "not ready"
            if was_ready:
                self.log.warning("not ready", reason=reason)
                self._on_ready(False, reason)

    def tls(self) -> ssl.SSLContext | None:
        """TLS as a client of the bus with this identity's certificate; None where the settings name no files."""
        from kubus.service.tls import client_tls  # here: ssl is needed by few

        return client_tls(*self.settings.nats_tls_files) if self.settings.nats_tls_files else None

    async def bus(self) -> Bus:
        """A connection to the bus under this identity."""
        from kubus.bus.nats import connect  # here: a health check imports this package without nats

        return await connect(self.settings.nats_url, identity=self.settings.identity, tls=self.tls())

    def client(self, bus: Bus) -> Client:
        """The API over a bus, under this identity."""
        from kubus.client.over_bus import BusClient  # here: like the bus

        return BusClient(bus, self.settings.identity, manager=self.name)
