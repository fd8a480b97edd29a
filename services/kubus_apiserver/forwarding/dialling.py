"""Connections to endpoints: into pods over the bus, to everything else directly.

A pod is reached through its node's kubelet, by a session that dials (`kubus_kubelet.dials`): nodes need no open port,
and the apiserver no route to pods. What it gives is an ordinary socket, one end of a pair whose other end is carried
over the session, so that TLS and HTTP need not know. While the bus or the kubelet is away pods are dialled directly,
which works wherever this machine has a route to them, as it has in a cluster of one machine: no write to the API has
to wait for the bus.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from kubus.bus import Bus
from kubus.bus.carrying import carry
from kubus.bus.sessions import STDIN, Session, Unreachable, open_session
from kubus.bus.tasks import Tasks
from kubus.model.errors import StatusError
from kubus.model.objects import Object
from kubus_apiserver.forwarding.endpoints import Destination

_CALL_SECONDS = 4.0
"""How long a kubelet is waited for; half of what a webhook usually has."""
_DIAL_SECONDS = 10.0


class DialFailed(ConnectionError):
    """Nobody answers there; says so as Go's net package does."""


class Dialler:
    """Connects. `bus` is set once there is one; `aclose` ends all connections over it."""

    def __init__(self) -> None:
        self.bus: Bus | None = None
        self._tasks = Tasks()

    async def dial(self, to: Destination) -> socket.socket:
        """A connected socket.

        Raises:
            DialFailed
        """
        if self.bus is None or not to.node:
            return await _direct(to)
        try:
            session = await self._session(self.bus, to)
        except Unreachable:
            return await _direct(to)
        ours, theirs = socket.socketpair()
        self._tasks.start(_carried(session, theirs))
        return ours

    async def _session(self, bus: Bus, to: Destination) -> Session:
        """A connection to a pod as the session that carries it.

        Raises:
            DialFailed: nobody answers there.
            Unreachable: nobody has been asked.
        """
        call: Object = {"verb": "dial", "namespace": to.namespace, "pod": to.pod, "uid": to.uid, "port": to.port}
        try:
            return await open_session(bus, to.node, call, timeout_seconds=_CALL_SECONDS)
        except Unreachable:
            raise
        except StatusError as error:
            raise DialFailed(error.message) from None

    async def aclose(self) -> None:
        """End all connections over the bus."""
        await self._tasks.aclose()


async def _carried(session: Session, end: socket.socket) -> None:
    try:
        reader, writer = await asyncio.open_connection(sock=end)
        await carry(session, reader, writer, STDIN, half_open=False)
    finally:
        await session.aclose()


async def _direct(to: Destination) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_DIAL_SECONDS):
            found = await loop.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
            failure: OSError = OSError(f"lookup {to.host}: no such host")
            for family, kind, protocol, _, address in found:
                made = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
                try:
                    await loop.sock_connect(made, address)
                except OSError as error:
                    made.close()
                    failure = error
                    continue
                except BaseException:
                    made.close()
                    raise
                with suppress(OSError):
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return made
            raise failure
    except TimeoutError:
        raise DialFailed(f"dial tcp {to}: i/o timeout") from None
    except socket.gaierror:
        raise DialFailed(f"dial tcp: lookup {to.host}: no such host") from None
    except ConnectionRefusedError:
        raise DialFailed(f"dial tcp {to}: connect: connection refused") from None
    except OSError as error:
        raise DialFailed(f"dial tcp {to}: connect: {error.strerror or error}") from None
