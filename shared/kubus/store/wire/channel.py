"""Calls to a cluster: one connection at a time, replaced when it fails or no longer serves.

A call waits, within its deadline, for a connection: a server that restarts is a pause, not an error. When a call ends
as UNAVAILABLE or without an answer in time, the connection is left for one to the next address, since a member that
has lost its quorum still takes calls; what goes on over it goes on until it ends. No task runs in the background:
whoever needs a connection first makes it, and the others wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubus.store.wire.endpoints import Address, Tls, addresses_of, parse
from kubus.store.wire.statuses import CallFailed, Status
from kubus.store.wire.transport import Conversation, Transport

_CONNECT_SECONDS_MAX = 2.0
_ROUND_SECONDS = 3.0
"""In which all addresses have been tried, so that a call whose first choice is a dead machine still finds another."""
_PAUSE_SECONDS_MIN = 0.05
_PAUSE_SECONDS_MAX = 0.5
_LEFT_FOR = (Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED)


class Channel:
    """Calls to whichever endpoint answers."""

    def __init__(self, endpoints: tuple[str, ...], tls: Tls | None) -> None:
        self._endpoints = tuple(parse(endpoint) for endpoint in endpoints)
        self._tls = tls
        self._current: Transport | None = None
        self._transports: set[Transport] = set()
        self._connecting = asyncio.Lock()
        self._turn = 0
        self._pause = _PAUSE_SECONDS_MIN
        self._why = "not tried yet"
        self._is_closed = False

    async def call(self, path: str, message: bytes, seconds: float) -> bytes:
        """Ask once; the answer.

        Raises:
            CallFailed: DEADLINE_EXCEEDED after that many seconds, whatever the reason.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        transport = self._current
        if transport is None or not transport.is_usable:
            transport = await self._connected(deadline)
        stream, answer = transport.call(path, message, deadline)
        try:
            return await answer
        except CallFailed as failure:
            self._left(transport, failure)
            raise
        except asyncio.CancelledError:
            transport.cancel(stream)
            raise

    @asynccontextmanager
    async def conversation(
        self, path: str, metadata: tuple[tuple[str, str], ...], seconds: float
    ) -> AsyncIterator[Conversation]:
        """A conversation; it is ended at the end. It waits so many seconds for a connection.

        Raises:
            CallFailed: there is no connection.
        """
        transport = await self._connected(asyncio.get_running_loop().time() + seconds)
        conversation = transport.converse(path, metadata)
        try:
            yield conversation
        except CallFailed as failure:
            self._left(transport, failure)
            raise
        finally:
            conversation.close()

    async def aclose(self) -> None:
        """End all connections and every call on them."""
        self._is_closed = True
        await self._abort()

    async def _abort(self) -> None:
        transports = list(self._transports)
        for transport in transports:
            transport.abort()
        await asyncio.gather(*(transport.gone for transport in transports))

    def _left(self, transport: Transport, failure: CallFailed) -> None:
        """Go elsewhere, if it is the connection that failed."""
        if transport is self._current and failure.status in _LEFT_FOR:
            transport.leave()
            self._current = None
            self._turn += 1

    async def _connected(self, deadline: float) -> Transport:
        """The connection; at first there has to be one."""
        try:
            async with asyncio.timeout_at(deadline), self._connecting:
                while not self._is_closed:
                    if self._current is not None and self._current.is_usable:
                        return self._current
                    await self._try_all()
        except TimeoutError:
            raise CallFailed(Status.DEADLINE_EXCEEDED, f"no connection: {self._why}", unseen=True) from None
        await self._abort()
        raise CallFailed(Status.CANCELLED, "closed", unseen=True)

    async def _try_all(self) -> None:
        """Try each address once, and pause if none lets us in."""
        try:
            addresses = await addresses_of(self._endpoints)
        except OSError as error:
            addresses, self._why = [], str(error)
        for _ in addresses:
            address = addresses[self._turn % len(addresses)]
            try:
                seconds = min(_CONNECT_SECONDS_MAX, _ROUND_SECONDS / len(addresses))
                self._current = await self._connect(address, seconds)
            except OSError as error:  # a timeout is one too
                self._why = f"{address.endpoint}: {str(error) or 'it does not answer'}"
                self._turn += 1
            else:
                self._pause = _PAUSE_SECONDS_MIN
                return
        pause, self._pause = self._pause, min(2 * self._pause, _PAUSE_SECONDS_MAX)
        await asyncio.sleep(pause)

    async def _connect(self, address: Address, seconds: float) -> Transport:
        """A connection over which the server has spoken."""
        tls = self._tls
        host = address.endpoint.host if tls is None else tls.server_name or address.endpoint.host
        transport = Transport("http" if tls is None else "https", f"{host}:{address.endpoint.port}")
        try:
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().create_connection(
                    lambda: transport,
                    address.ip,
                    address.endpoint.port,
                    ssl=None if tls is None else tls.context(),
                    server_hostname=None if tls is None else host,
                )
                self._transports.add(transport)
                transport.gone.add_done_callback(lambda _: self._transports.discard(transport))
                await transport.ready
        except BaseException:
            transport.abort()
            raise
        return transport
