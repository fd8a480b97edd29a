"""The HTTP door: connections and aiohttp's server below, a `Call` and an answer above.

Plain requests come from `kubus_apiserver.doors.connections`, all others are parsed by aiohttp. Answers are written
here, because a header of four known lines needs no header machinery, and because a watch hands the same chunk to a
thousand connections. TLS verifies client certificates against the cluster's authority and asks for none: who has none
is anonymous.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from kubus.model.errors import StatusError, bad_request, gone
from kubus.model.limits import BODY_BYTES_MAX
from kubus_apiserver.access.authentication import user_of_certificate
from kubus_apiserver.access.impersonation import wanted
from kubus_apiserver.calls import ANONYMOUS, Notes, User
from kubus_apiserver.doors.answers import Answer, Call, ForwardAnswer, StreamAnswer, WatchAnswer, failed, text
from kubus_apiserver.doors.body_room import BodyRoom
from kubus_apiserver.doors.connections import PATIENCE, Connection, Connections, Patience, late_body
from kubus_apiserver.doors.encodings import encoded_for, is_plain
from kubus_apiserver.doors.general import (
    LINGER_SECONDS,
    Handler,
    Request,
    Written,
    body_too_large,
    log_refusal,
    read_body,
)
from kubus_apiserver.doors.heads import Heads
from kubus_apiserver.doors.queries import parse_query
from kubus_apiserver.doors.requests import Fields, Head
from kubus_apiserver.doors.rest import AnyAnswer, Rest
from kubus_apiserver.doors.wellformed import FIELD_BYTES_MAX, FIELDS_MAX, TARGET_BYTES_MAX, find_fault, path_and_query
from kubus_apiserver.forwarding.forwarder import Forwarder
from kubus_apiserver.reading.watches import Batch, Scope, failure
from kubus_apiserver.reading.watchstreams import Watches

if TYPE_CHECKING:
    from kubus_apiserver.doors.streams import Streams

_UNSENT_BYTES_MAX = 1024 * 1024
"""What a watcher may leave unread before its watch ends; with what encryption adds and how buffers grow, 2 MB."""
_LAST_WORD_SECONDS = 5.0
"""How long who was too slow for a watch may take to hear that it has ended."""
_COMFORTABLE_BYTES = 256 * 1024
_DRAIN_SECONDS = 0.005
_SHUTDOWN_SECONDS = 1.0
_READ_BYTES = 32 * 1024
"""Of a body that nobody reads yet, half of what may stand in memory."""
_BACKLOG = 1024
_AUDIT_ID_CHARS_MAX = 256
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_WHOLE_BYTES = 64 * 1024
"""Answers up to this size are written in one piece."""


class ChunkSink:
    """A watch's way out: chunks straight onto the connection."""

    def __init__(self, transport: asyncio.Transport, scope: Scope | None = None) -> None:
        self._transport = transport
        self._scope = scope
        self.overrun = False

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent."""
        return self.overrun or self._transport.is_closing()

    def send(self, batch: Batch) -> None:
        """Write a batch as one chunk; a reader who has too much of those before gets a last word and the end."""
        if self.closed:
            return
        if self._transport.get_write_buffer_size() <= _UNSENT_BYTES_MAX:
            self._transport.write(batch.chunk)
        else:
            self.overrun = True
            self._transport.write(Batch([failure(gone("the watch was too slow to keep up"), self._scope)]).chunk)

    async def drained(self) -> None:
        """Wait until the reader has taken most of it."""
        await drained(self._transport)


async def drained(transport: asyncio.Transport | asyncio.WriteTransport) -> None:
    """Wait until a connection has little left to send."""
    while not transport.is_closing() and transport.get_write_buffer_size() > _COMFORTABLE_BYTES:  # noqa: ASYNC110  only its protocol is told
        await asyncio.sleep(_DRAIN_SECONDS)


class Server(web.Server):
    """aiohttp's server, which gets the connections that are made over to it."""

    def __init__(self, door: HttpDoor, request_factory: Any) -> None:
        super().__init__(door.handle, request_factory=request_factory)
        general = partial(
            Handler,
            self,
            loop=asyncio.get_running_loop(),
            head_seconds=door.patience.head_seconds,
            access_log=None,
            keepalive_timeout=door.patience.idle_seconds,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,
            max_line_size=TARGET_BYTES_MAX,
            max_field_size=FIELD_BYTES_MAX,
            max_headers=FIELDS_MAX,
            read_bufsize=_READ_BYTES,
        )
        self._plain = Connections(door, general, room=door.bodies, patience=door.patience)

    def __call__(self) -> Connection:  # type: ignore[override]  # a protocol as well
        """The protocol of a new connection."""
        return self._plain()

    def pre_shutdown(self) -> None:
        """Take no more requests."""
        self._plain.close_idle()
        super().pre_shutdown()

    async def shutdown(self, timeout: float | None = None) -> None:
        """Give what is under way some time."""
        await self._plain.aclose(timeout or 0.0)
        await super().shutdown(timeout)


class HttpDoor:
    """Serves the REST API."""

    def __init__(
        self,
        rest: Rest,
        watches: Watches,
        streams: Streams | None,
        forwarder: Forwarder | None = None,
        *,
        bodies: BodyRoom | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self.bodies = BodyRoom() if bodies is None else bodies
        self.patience = patience
        self._rest = rest
        self._forwarder = forwarder
        self._heads = Heads(rest.clock.now)
        self._watches = watches
        self._streams = streams
        self._users: WeakKeyDictionary[Any, User] = WeakKeyDictionary()

    def runner(self) -> web.ServerRunner:
        """What listens, once it is given sites."""
        loop = asyncio.get_running_loop()

        def request(*parts: Any) -> web.BaseRequest:
            message, payload, protocol, writer, task = parts
            return Request(message, payload, protocol, writer, task, loop)

        server = Server(self, request)
        return web.ServerRunner(server, handle_signals=False, shutdown_timeout=_SHUTDOWN_SECONDS)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        fault = find_fault((request.version.major, request.version.minor), request.raw_path, request.raw_headers)
        if fault is not None:
            log_refusal(request.remote or "", *fault)
            return self._last(request, text(fault.code, fault.reason))
        try:
            call = self._call(request)
        except StatusError as error:
            return self._write(request, failed(error))
        if request.body_exists and request.method != "GET" and not self._rest.leads_away(call.path):
            answer = await self._answer_with_body(request, call)
            if answer is None:
                return Written(keep_alive=False)
            if isinstance(answer, Answer) and not request.content.at_eof():
                return self._last(request, answer)
        else:
            answer = await self._rest.answer(call)
        if isinstance(answer, Answer):
            return await self._write_all(request, answer if is_plain(answer, call) else await encoded_for(answer, call))
        if isinstance(answer, WatchAnswer):
            return await self._watch(request, answer)
        if isinstance(answer, ForwardAnswer):
            return await self._forward(request, answer)
        return await self._stream(request, call, answer)

    async def _answer_with_body(self, request: web.BaseRequest, call: Call) -> AnyAnswer | None:
        """The answer to a request with a body, which is read once it is known that its sender may send it.

        None: the client has gone.
        """
        admitted = self._rest.admit(call)
        if isinstance(admitted, Answer):
            return admitted
        length = request.content_length
        if length is not None and length > BODY_BYTES_MAX:
            return failed(body_too_large())
        try:
            async with asyncio.timeout(self.patience.body_seconds) as waiting:
                async with self.bodies.reserved(BODY_BYTES_MAX if length is None else length):
                    if request.headers.get("Expect") and request.transport is not None:
                        request.transport.write(_CONTINUE)
                    body = await read_body(request.content, BODY_BYTES_MAX)
                    waiting.reschedule(None)
                    return await self._rest.answer(admitted._replace(body=body))
        except TimeoutError:
            return late_body()
        except StatusError as error:
            return failed(error)
        except (HttpProcessingError, web.RequestPayloadError):
            return failed(bad_request("the request cannot be read"))
        except ConnectionError:
            return None

    def _last(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        """Answer a request that is not read to its end: another cannot follow."""
        if request.transport is not None and not request.transport.is_closing():
            body = b"" if request.method == "HEAD" else answer.body
            request.transport.write(self._heads.of(answer, False) + body)
        return Written(keep_alive=False)

    def _call(self, request: web.BaseRequest) -> Call:
        headers = request.headers
        path, _, query = path_and_query(request.raw_path).partition("?")
        return Call(
            method=request.method,
            path=unquote(path) if "%" in path else path,
            query=parse_query(query) if query else {},
            user=ANONYMOUS if request.transport is None else self.user(request.transport),
            accept=headers.get("Accept", ""),
            content_type=headers.get("Content-Type", ""),
            user_agent=headers.get("User-Agent", ""),
            trace=headers.get("traceparent"),
            authorization=headers.get("Authorization", ""),
            subprotocols=headers.get("Sec-WebSocket-Protocol", ""),
            impersonate=wanted(headers.items()),
            source=request.remote or "",
            accept_encoding=headers.get("Accept-Encoding", ""),
            if_none_match=headers.get("If-None-Match", ""),
            audit_id=_audit_id(headers.get("Audit-ID", "")),
        )

    def call(self, head: Head, fields: Fields, body: bytes, *, user: User, source: str) -> Call | None:
        """See `connections.Asked`."""
        path, _, query = head.target.partition("?")
        if "%" in path:
            path = unquote(path)
        if fields.length and (head.method == "GET" or fields.length > BODY_BYTES_MAX):
            return None
        try:
            asked = parse_query(query) if query else {}
        except StatusError:
            return None
        call = Call(
            method=head.method,
            path=path,
            query=asked,
            user=user,
            accept=fields.accept,
            content_type=fields.content_type,
            user_agent=fields.user_agent,
            trace=fields.trace or None,
            body=body,
            authorization=fields.authorization,
            source=source,
            accept_encoding=fields.accept_encoding,
            if_none_match=fields.if_none_match,
            notes=Notes(),
        )
        return call if self._rest.ends(call) else None

    def admit(self, call: Call) -> Call | Answer:
        """See `connections.Asked`."""
        return self._rest.admit(call)

    async def answered(self, call: Call) -> Answer:
        """See `connections.Asked`."""
        answer = await self._rest.answer(call)
        if not isinstance(answer, Answer):
            raise TypeError("this answer does not end")
        return answer if is_plain(answer, call) else await encoded_for(answer, call)

    def user(self, transport: asyncio.BaseTransport) -> User:
        """See `connections.Asked`."""
        tls = transport.get_extra_info("ssl_object")
        if tls is None:
            return ANONYMOUS
        user = self._users.get(tls)
        if user is None:
            user = self._users[tls] = user_of_certificate(tls.getpeercert(), tls.getpeercert(True))
        return user

    def _write(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        transport = request.transport
        if transport is None or transport.is_closing():
            return Written(keep_alive=False)
        keep = bool(request.keep_alive) and not (request.body_exists and not request.content.at_eof())
        body = b"" if request.method == "HEAD" else answer.body
        transport.write(self._heads.of(answer, keep) + body)
        return Written(keep_alive=keep)

    async def _write_all(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        transport = request.transport
        if len(answer.body) <= _WHOLE_BYTES or transport is None or request.method == "HEAD":
            return self._write(request, answer)
        await self.send(transport, answer, keep=bool(request.keep_alive))
        return Written(keep_alive=bool(request.keep_alive))

    async def send(self, transport: asyncio.Transport, answer: Answer, *, keep: bool) -> None:
        """See `connections.Asked`."""
        head = self._heads.of(answer, keep)
        if len(answer.body) <= _WHOLE_BYTES:
            transport.write(head + answer.body)
            return
        body = memoryview(answer.body)
        transport.write(head)
        for start in range(0, len(body), _COMFORTABLE_BYTES):
            await drained(transport)
            if transport.is_closing():
                break
            transport.write(body[start : start + _COMFORTABLE_BYTES])

    async def _watch(self, request: web.BaseRequest, answer: WatchAnswer) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket" and self._streams is not None:
            return await self._streams.watch(request, answer.start)
        transport = request.transport
        if transport is None:
            return Written(keep_alive=False)
        transport.write(self._heads.of_watch(answer))
        sink = ChunkSink(transport, answer.start.scope)
        await self._watches.stream(answer.start, sink)
        if sink.overrun:
            asyncio.get_running_loop().call_later(_LAST_WORD_SECONDS, transport.abort)
        elif not transport.is_closing():
            transport.write(b"0\r\n\r\n")
        return Written(keep_alive=bool(request.keep_alive) and not sink.closed)

    async def _forward(self, request: web.BaseRequest, answer: ForwardAnswer) -> web.StreamResponse:
        if self._forwarder is None:
            return self._write(request, failed(bad_request("this apiserver forwards nothing")))
        done = await self._forwarder.serve(request, answer.forward)
        return self._write(request, done) if isinstance(done, Answer) else Written(keep_alive=done)

    async def _stream(self, request: web.BaseRequest, call: Call, answer: StreamAnswer) -> web.StreamResponse:
        if self._streams is None:
            return self._write(request, failed(bad_request("this apiserver has no way to the nodes")))
        try:
            return await self._streams.serve(request, call, answer)
        except StatusError as error:
            return self._write(request, failed(error))


def _audit_id(given: str) -> str:
    """What a client calls its request, if that can stand in a header and in a log."""
    return given[:_AUDIT_ID_CHARS_MAX] if given.isascii() and given.isprintable() else ""


async def listen(runner: web.ServerRunner, host: str, port: int, tls: ssl.SSLContext | None) -> None:
    """Take connections at an address, which other processes of this server may share."""
    await web.TCPSite(runner, host, port, ssl_context=tls, reuse_port=True, backlog=_BACKLOG).start()


def serving_tls(cert_file: Path, key_file: Path, client_ca_file: Path | None) -> ssl.SSLContext:
    """TLS as a server that verifies client certificates and asks for none.

    Raises:
        OSError: a file cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert_file, key_file)
    context.set_alpn_protocols(["http/1.1"])
    if client_ca_file is not None:
        context.load_verify_locations(client_ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
