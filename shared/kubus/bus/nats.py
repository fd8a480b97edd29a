"""The bus over NATS, by a client of our own (`kubus.bus.natsclient`).

A connection to a server ends now and then; the bus goes on. What happens on the way becomes what `kubus.bus` promises:
`Disturbed` on the subscriptions concerned, an exception at the publisher.

    connection lost          requests under way end; publish raises Disconnected, and nothing is kept for later
    connection back          the same subscriptions, every one of them Disturbed
    server ends it for good  (-ERR) as above
    subject not permitted    the subscription is Disturbed, the request fails
    reader too slow          its `Mailbox` empties itself, Disturbed

Reconnecting goes on for ever, from 50 ms up to two seconds apart.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import secrets
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from kubus.bus import BusError, Disconnected, Handler, NoResponders, RequestTimeout
from kubus.bus.mailbox import BYTES_MAX, MESSAGES_MAX, Mailbox
from kubus.bus.natsclient import protocol
from kubus.bus.natsclient.connection import Connection, Handlers
from kubus.bus.natsclient.protocol import NO_RESPONDERS, Delivered
from kubus.bus.serving import serve_mailbox
from kubus.bus.subjects import inbox_prefix
from kubus.bus.tasks import Tasks

_log = logging.getLogger(__name__)
_DENIED = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)
_RECONNECT_SECONDS_MIN = 0.05
_RECONNECT_SECONDS_MAX = 2.0
_CONNECT_SECONDS_MAX = 5.0
_FLUSH_SECONDS_MAX = 10.0
_PORT = 4222
_REPLIES = b"1"
"""The number of the subscription to replies, on every connection."""

Reply = asyncio.Future[bytes]


async def connect(url: str, *, identity: str, tls: ssl.SSLContext | None = None) -> NatsBus:
    """A connection to NATS under an identity; waits until there is one, for ever if need be.

    `url` may name several servers, with commas between them.
    """
    bus = NatsBus([each.strip() for each in url.split(",")], identity, tls)
    await bus._connect()
    return bus


class NatsBus:
    """A `Bus`; see `connect`."""

    def __init__(self, urls: list[str], identity: str, tls: ssl.SSLContext | None) -> None:
        self.identity = identity
        self._urls = itertools.cycle(urls)
        self._tls = tls
        self._connection: Connection | None = None
        self._closing = False
        self._joined: dict[bytes, _Joined] = {}
        self._tasks = Tasks()
        self._replies: dict[str, tuple[str, Reply]] = {}
        self._reply_prefix = f"{inbox_prefix(identity)}.{secrets.token_hex(8)}."
        self._numbers = itertools.count(2)

    @property
    def connected(self) -> bool:
        """Whether the server can be reached, as far as is known."""
        return self._connection is not None and self._connection.is_open

    async def publish(self, subject: str, data: bytes, *, headers: dict[str, str] | None = None) -> None:
        """Send; see `Bus.publish`."""
        await self._send(subject, data, headers=headers)

    async def flush(self) -> None:
        """Wait until the server has everything published so far."""
        try:
            async with asyncio.timeout(_FLUSH_SECONDS_MAX):
                await self._open_connection().flushed()
        except TimeoutError:
            raise Disconnected("the bus does not answer") from None

    async def subscribe(self, subject: str, *, group: str = "") -> Mailbox:
        """What arrives from now on; see `Bus.subscribe`."""
        if not protocol.is_pattern(subject):
            raise BusError(f"{subject!r} is no subject")
        connection, sid = self._open_connection(), b"%d" % next(self._numbers)

        async def leave(_: Mailbox) -> None:
            self._leave(sid)

        mailbox = Mailbox(leave, messages_max=MESSAGES_MAX, bytes_max=BYTES_MAX)
        self._joined[sid] = _Joined(subject, group, mailbox)
        try:
            connection.send(protocol.sub(subject, group, sid))
            await self.flush()
        except BaseException:
            self._leave(sid)
            raise
        return mailbox

    async def request(self, subject: str, data: bytes, *, timeout_seconds: float = 10.0) -> bytes:
        """Ask; see `Bus.request`. A subject that is not permitted is a `BusError` at once."""
        token = str(next(self._numbers))
        loop = asyncio.get_running_loop()
        reply: Reply = loop.create_future()
        self._replies[token] = (subject, reply)
        timer = loop.call_later(timeout_seconds, _time_out, reply, subject, timeout_seconds)
        try:
            await self._send(subject, data, self._reply_prefix + token)
            return await reply
        finally:
            timer.cancel()
            del self._replies[token]

    async def serve(self, subject: str, handler: Handler, *, group: str = "", concurrency: int = 256) -> Mailbox:
        """Answer requests; see `Bus.serve`."""
        mailbox = await self.subscribe(subject, group=group)
        self._tasks.start(serve_mailbox(mailbox, handler, self._send, concurrency))
        return mailbox

    async def aclose(self) -> None:
        """Send what is buffered and close."""
        if self._closing:
            return
        self._closing = True
        if self.connected:
            try:
                await self.flush()
            except Disconnected:
                _log.info("closing a connection to the bus that does not answer")
        self._fail_requests("the bus is closed", Disconnected)
        for joined in list(self._joined.values()):
            joined.mailbox.close()
        self._joined.clear()
        await self._tasks.aclose()
        if self._connection is not None:
            self._connection.close()

    async def _send(self, subject: str, data: bytes, reply: str = "", headers: dict[str, str] | None = None) -> None:
        connection = self._open_connection()
        if not protocol.is_subject(subject):
            raise BusError(f"{subject!r} is no subject")
        connection.check_size(data)
        connection.send(protocol.pub(subject, data, reply, headers))
        await connection.writable()

    def _open_connection(self) -> Connection:
        if self._connection is None or not self._connection.is_open:
            raise Disconnected("no connection to the bus")
        return self._connection

    async def _connect(self) -> None:
        """Try until there is a connection, and take the subscriptions there."""
        pause = _RECONNECT_SECONDS_MIN
        while True:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS_MAX):
                    await self._try(next(self._urls))
                return
            except (BusError, OSError) as error:  # a TimeoutError is an OSError
                _log.info("not connected yet: %r", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _RECONNECT_SECONDS_MAX)

    async def _try(self, url: str) -> None:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
        if parts.scheme == "tls" and self._tls is None:
            raise Disconnected(f"{url} wants TLS, and there is no certificate to show")
        connection = Connection(self.identity, self._tls, host, Handlers(self._deliver, self._on_error, self._on_lost))
        await asyncio.get_running_loop().create_connection(lambda: connection, host, port)
        try:
            await connection.ready
            connection.send(protocol.sub(f"{self._reply_prefix}*", "", _REPLIES))
            for sid, joined in self._joined.items():
                connection.send(protocol.sub(joined.subject, joined.group, sid))
            await connection.flushed()
            if not connection.is_open:
                raise Disconnected("lost at once")
        except BaseException:
            connection.abort("given up")
            raise
        self._connection = connection

    def _leave(self, sid: bytes) -> None:
        if self._joined.pop(sid, None) is not None and self.connected:
            self._open_connection().send(protocol.unsub(sid))

    def _deliver(self, delivered: Delivered) -> None:
        if delivered.sid != _REPLIES:
            joined = self._joined.get(delivered.sid)
            if joined is not None:
                joined.mailbox.put(delivered.message)
            return
        message = delivered.message
        _, reply = self._replies.get(message.subject[len(self._reply_prefix) :], ("", None))
        if reply is None or reply.done():
            return
        if delivered.status == NO_RESPONDERS:
            reply.set_exception(NoResponders("nobody serves the subject"))
        else:
            reply.set_result(message.data)

    def _on_error(self, error: str) -> None:
        denied = _DENIED.search(error)
        if denied is None:
            _log.info("the bus: %s", error)
            return
        what, subject = denied[1].lower(), denied[2]
        _log.error("%s may not use %s (%s)", self.identity, subject, what)
        if what == "subscription":
            self._disturb("the subscription is not permitted", lambda joined: joined.subject == subject)
        else:
            self._fail_requests(f"{self.identity} may not publish to {subject}", BusError, subject)

    def _on_lost(self, why: str) -> None:
        """A connection has ended, or has not come about; in the latter case whoever tries knows."""
        if self._closing or self._connection is None:
            return
        _log.warning("the connection to the bus was lost: %s", why)
        self._connection = None
        self._fail_requests("the connection to the bus was lost before the reply", RequestTimeout)
        self._tasks.start(self._connect_again())

    async def _connect_again(self) -> None:
        await self._connect()
        _log.info("the connection to the bus is back")
        self._disturb("the connection to the bus was lost for a while", lambda _: True)

    def _disturb(self, reason: str, concerns: Callable[[_Joined], bool]) -> None:
        for joined in self._joined.values():
            if concerns(joined):
                joined.mailbox.disturb(reason)

    def _fail_requests(self, reason: str, error: type[BusError], only_subject: str = "") -> None:
        for subject, reply in list(self._replies.values()):
            if not reply.done() and (not only_subject or subject == only_subject):
                reply.set_exception(error(reason))


class _Joined:
    """A subscription, to be made again on a new connection."""

    def __init__(self, subject: str, group: str, mailbox: Mailbox) -> None:
        self.subject = subject
        self.group = group
        self.mailbox = mailbox


def _time_out(reply: Reply, subject: str, seconds: float) -> None:
    if not reply.done():
        reply.set_exception(RequestTimeout(f"no reply on {subject} within {seconds:g} s"))
