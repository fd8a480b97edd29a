"""The bus over NATS. The only module that imports nats-py.

nats-py tells of trouble in ways that are easy to miss: a full queue, a refused subject and a lost connection reach
callbacks only, and what was published while the server was away is kept and sent later. Here each becomes what
`kubus.bus` promises: `Disturbed` on the subscriptions concerned, an exception at the publisher.

    connection lost          requests under way end; publish raises Disconnected
    connection back          every subscription is Disturbed
    server ends it for good  (-ERR: nats-py gives up) a new connection, the same subscriptions, Disturbed
    subject not permitted    the subscription is Disturbed, the request fails
    reader too slow          its `Mailbox` empties itself, Disturbed

Reconnecting goes on for ever, from 50 ms up to two seconds apart. Two habits of nats-py 2.16 are worked around: its
`flush` sends the PING before what is buffered (so ours pushes the buffer out first), and its own subscriptions
take a task a message (so ours take a callback that fills a mailbox, 3 µs a message).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import secrets
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import nats.errors
from nats.aio.client import Client, Server
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.js import JetStreamContext

from kubus.bus import BusError, Disconnected, Handler, Message, NoResponders, RequestTimeout
from kubus.bus.mailbox import BYTES_MAX, MESSAGES_MAX, Mailbox
from kubus.bus.serving import serve_mailbox
from kubus.bus.subjects import inbox_prefix
from kubus.bus.tasks import Tasks

_log = logging.getLogger(__name__)
_DENIED = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"')
_FIRST_TRY_SECONDS = 0.2
_RECONNECT_SECONDS_MIN = 0.05
_RECONNECT_SECONDS_MAX = 2.0
_FLUSH_SECONDS_MAX = 10.0
_PING_SECONDS = 5  # with two outstanding: a dead connection is noticed within 15 s, nats-py's default is 6 minutes

Reply = asyncio.Future[bytes]


async def connect(url: str, *, identity: str, tls: ssl.SSLContext | None = None) -> NatsBus:
    """A connection to NATS under an identity; waits until there is one, for ever if need be.

    `url` may name several servers, with commas between them.
    """
    bus = NatsBus([each.strip() for each in url.split(",")], identity, tls)
    await bus._open()
    return bus


class NatsBus:
    """A `Bus`; see `connect`."""

    def __init__(self, urls: list[str], identity: str, tls: ssl.SSLContext | None) -> None:
        self.identity = identity
        self._urls = urls
        self._tls = tls
        self._nats = Client()
        self._closing = False
        self._opening_again = False
        self._mailboxes: dict[Mailbox, _Joined] = {}
        self._tasks = Tasks()
        self._flushing: set[asyncio.Timeout] = set()
        self._losses = 0
        self._replies: dict[str, tuple[str, Reply]] = {}
        self._reply_prefix = f"{inbox_prefix(identity)}.{secrets.token_hex(8)}."
        self._numbers = itertools.count(1)

    @property
    def connected(self) -> bool:
        """Whether the server can be reached, as far as is known."""
        return self._nats.is_connected

    def jetstream(self) -> JetStreamContext:
        """JetStream on the present connection, for `kubus.bus.journal`."""
        return self._nats.jetstream()

    async def publish(self, subject: str, data: bytes, *, headers: dict[str, str] | None = None) -> None:
        """Send; see `Bus.publish`."""
        await self._send(subject, data, headers=headers)

    async def flush(self) -> None:
        """Wait until the server has everything published so far."""
        if not self._nats.is_connected:
            raise Disconnected("no connection to the bus")
        limit = asyncio.timeout(_FLUSH_SECONDS_MAX)
        self._flushing.add(limit)
        losses = self._losses
        try:
            async with limit:
                await self._nats._flush_pending(force_flush=True)
                if losses == self._losses:  # nats-py may have swallowed the cancellation
                    await self._nats.flush()
        except TimeoutError:
            if losses == self._losses:
                raise
        except (nats.errors.Error, OSError, AttributeError) as error:  # AttributeError: the transport is gone
            raise Disconnected(f"not flushed: {error!r}") from None
        finally:
            self._flushing.discard(limit)
        if losses != self._losses:
            raise Disconnected("the connection to the bus was lost before everything was sent")

    async def subscribe(self, subject: str, *, group: str = "") -> Mailbox:
        """What arrives from now on; see `Bus.subscribe`."""
        return await self._subscribe(subject, group, MESSAGES_MAX, BYTES_MAX)

    async def request(self, subject: str, data: bytes, *, timeout_seconds: float = 10.0) -> bytes:
        """Ask; see `Bus.request`. A subject that is not permitted is a `BusError` at once."""
        token = str(next(self._numbers))
        loop = asyncio.get_running_loop()
        reply: Reply = loop.create_future()
        self._replies[token] = (subject, reply)
        timer = loop.call_later(timeout_seconds, _time_out, reply, subject, timeout_seconds)
        try:
            await self._send(subject, data, reply=self._reply_prefix + token)
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
        if self._nats.is_connected:
            try:
                await self.flush()
            except (Disconnected, TimeoutError):
                _log.info("closing a connection to the bus that does not answer")
        self._fail_requests("the bus is closed", Disconnected)
        for mailbox in list(self._mailboxes):
            mailbox.close()
        self._mailboxes.clear()
        await self._tasks.aclose()
        await self._nats.close()

    async def _open(self) -> None:
        self._nats = Client()
        await self._nats.connect(
            servers=self._urls,
            name=self.identity,
            tls=self._tls,
            inbox_prefix=inbox_prefix(self.identity),
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
            reconnect_to_server_handler=_next_server,
            reconnect_time_wait=_FIRST_TRY_SECONDS,  # type: ignore[arg-type]  # it only ever sleeps so long
            max_reconnect_attempts=-1,
            ping_interval=_PING_SECONDS,
            flush_timeout=_FLUSH_SECONDS_MAX,
            flusher_queue_size=64 * 1024,
            pending_size=8 * 1024 * 1024,
        )
        for mailbox, joined in list(self._mailboxes.items()):
            joined.nats = await self._join(mailbox, joined)
        await self._nats.subscribe(f"{self._reply_prefix}*", cb=self._on_reply)
        await self.flush()

    async def _send(self, subject: str, data: bytes, *, reply: str = "", headers: dict[str, str] | None = None) -> None:
        if not self._nats.is_connected:
            raise Disconnected("no connection to the bus")
        try:
            await self._nats.publish(subject, data, reply=reply, headers=headers)
        except nats.errors.MaxPayloadError:
            raise BusError(f"a message of {len(data)} bytes is too large for the bus") from None
        except nats.errors.BadSubjectError:
            raise BusError(f"{subject!r} is no subject") from None
        except (nats.errors.Error, OSError, AttributeError) as error:
            raise Disconnected(f"no connection to the bus: {error}") from None

    async def _subscribe(self, subject: str, group: str, messages_max: int, bytes_max: int) -> Mailbox:
        if not self._nats.is_connected:
            raise Disconnected("no connection to the bus")
        mailbox = Mailbox(self._leave, messages_max=messages_max, bytes_max=bytes_max)
        joined = self._mailboxes[mailbox] = _Joined(subject, group)
        try:
            joined.nats = await self._join(mailbox, joined)
            await self.flush()
        except BaseException:
            await self._leave(mailbox)
            raise
        return mailbox

    async def _join(self, mailbox: Mailbox, joined: _Joined) -> NatsSubscription:
        try:
            return await self._nats.subscribe(joined.subject, queue=joined.group, cb=_filler(mailbox))
        except nats.errors.BadSubjectError:
            raise BusError(f"{joined.subject!r} is no subject") from None
        except nats.errors.Error as error:
            raise Disconnected(f"not subscribed: {error}") from None

    async def _leave(self, mailbox: Mailbox) -> None:
        joined = self._mailboxes.pop(mailbox, None)
        if joined is None or joined.nats is None:
            return
        try:
            await joined.nats.unsubscribe()
        except (nats.errors.Error, OSError, AttributeError):
            _log.debug("the connection ended before its subscription")

    async def _on_reply(self, message: Msg) -> None:
        _, reply = self._replies.get(message.subject[len(self._reply_prefix) :], ("", None))
        if reply is None or reply.done():
            return
        if message.headers and message.headers.get("Status") == "503":
            reply.set_exception(NoResponders("nobody serves the subject"))
        else:
            reply.set_result(message.data)

    async def _on_error(self, error: Exception) -> None:
        denied = _DENIED.search(str(error))
        if denied:
            self._on_denied(denied[1], denied[2])
        elif isinstance(error, nats.errors.SlowConsumerError):
            self._disturb("the client's queue was full", lambda joined: joined.nats is error.sub)
        else:
            _log.info("the bus: %r", error)

    def _on_denied(self, what: str, subject: str) -> None:
        """nats-py puts the server's words into lower case, so subjects are compared so, too."""
        _log.error("%s may not use %s (%s)", self.identity, subject, what)
        if what == "subscription":
            self._disturb("the subscription is not permitted", lambda joined: joined.subject.lower() == subject)
        else:
            self._fail_requests(f"{self.identity} may not publish to {subject}", BusError, subject)

    async def _on_disconnected(self) -> None:
        self._losses += 1
        for limit in self._flushing:
            limit.reschedule(0)  # nats-py would wait for the answer of a connection that is no more
        self._fail_requests("the connection to the bus was lost before the reply", RequestTimeout)
        if not self._closing:
            _log.warning("the connection to the bus was lost")

    async def _on_reconnected(self) -> None:
        _log.info("the connection to the bus is back")
        self._disturb("the connection to the bus was lost for a while", lambda _: True)

    async def _on_closed(self) -> None:
        if not self._closing and not self._opening_again:
            _log.warning("the bus ended the connection: %s", self._nats.last_error)
            self._opening_again = True
            self._tasks.start(self._open_again())

    async def _open_again(self) -> None:
        """A new connection in place of one that nats-py has given up."""
        while True:
            await asyncio.sleep(_RECONNECT_SECONDS_MAX)
            try:
                await self._open()
                break
            except (BusError, OSError, nats.errors.Error) as error:
                _log.info("not connected yet: %r", error)
                await self._nats.close()
        self._opening_again = False
        await self._on_reconnected()

    def _disturb(self, reason: str, concerns: Callable[[_Joined], bool]) -> None:
        for mailbox, joined in self._mailboxes.items():
            if concerns(joined):
                mailbox.disturb(reason)

    def _fail_requests(self, reason: str, error: type[BusError], only_subject: str = "") -> None:
        for subject, reply in list(self._replies.values()):
            if not reply.done() and (not only_subject or subject.lower() == only_subject):
                reply.set_exception(error(reason))


class _Joined:
    """What a mailbox is subscribed to, to do it again on a new connection."""

    def __init__(self, subject: str, group: str) -> None:
        self.subject = subject
        self.group = group
        self.nats: NatsSubscription | None = None


def _filler(mailbox: Mailbox) -> Callable[[Msg], Coroutine[Any, Any, None]]:
    put = mailbox.put

    async def fill(message: Msg) -> None:
        put(Message(message.subject, message.data, message.reply))

    return fill


def _next_server(pool: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
    """The server tried least often, and how long to wait before."""
    server = min(pool, key=lambda each: each.reconnects)
    return server, min(_RECONNECT_SECONDS_MIN * 2 ** min(server.reconnects, 10), _RECONNECT_SECONDS_MAX)


def _time_out(reply: Reply, subject: str, seconds: float) -> None:
    if not reply.done():
        reply.set_exception(RequestTimeout(f"no reply on {subject} within {seconds:g} s"))
