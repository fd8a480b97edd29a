"""Streams: exec, attach, logs and forwarded ports, from a client's connection to a kubelet's session on the bus.

exec and attach speak Kubernetes' WebSocket protocols: every binary message starts with a channel byte (0 stdin, 1
stdout, 2 stderr, 3 error, 4 resize; in v5 255 closes a channel). The exit code travels in the error channel as a
Status, last. A log is a plain chunked body. Forwarded ports, and commands of older clients, are streams of SPDY
(`kubus_apiserver.forwarding`).

https://kubernetes.io/docs/reference/using-api/websocket-streaming/ (KEP-4006)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial

from aiohttp import WSMsgType, web

from kubus.bus import Bus
from kubus.bus.sessions import CLOSE, ERROR, STDIN, Session, SessionLost, open_session
from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.errors import StatusError, bad_request, internal, unavailable
from kubus_apiserver.access.authenticator import is_bearer_protocol
from kubus_apiserver.doors.answers import Call, StreamAnswer
from kubus_apiserver.doors.general import Written
from kubus_apiserver.forwarding import commands, port_forwards
from kubus_apiserver.forwarding.spdy import SpdyError
from kubus_apiserver.forwarding.spdy_streams import Receive, Send
from kubus_apiserver.forwarding.tunnels import Takeover
from kubus_apiserver.reading.negotiation import PROTOBUF
from kubus_apiserver.reading.watches import Batch
from kubus_apiserver.reading.watchstreams import Start, Watches

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_MESSAGE_BYTES_MAX = 4 * 1024 * 1024
_HEARTBEAT_SECONDS = 30.0
_DRAIN_SECONDS = 0.005
_READ_BYTES = 64 * 1024
_MEDIA = {"/pods": "application/json"}
"""Of a kubelet's answers; others are text."""
_SWITCHING = f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {port_forwards.SPDY}\r\n".encode()
_log = logging.getLogger(__name__)
_SUCCESS = to_json({"metadata": {}, "status": "Success"})


class Streams:
    """Connects clients to kubelets. `bus` is set once there is one."""

    def __init__(self, watches: Watches) -> None:
        self.bus: Bus | None = None
        self._watches = watches

    async def serve(self, request: web.BaseRequest, call: Call, answer: StreamAnswer) -> web.StreamResponse:
        """Serve a log, exec or attach until it ends.

        Raises:
            StatusError: before anything was sent: the kubelet refuses or is away, the client speaks another protocol.
        """
        if self.bus is None:
            raise unavailable("the bus is away, and with it the way to the nodes")
        if answer.call["verb"] == "log":
            return await self._log(request, await open_session(self.bus, answer.node, answer.call))
        if answer.call["verb"] == "ask":
            media = _MEDIA.get(answer.call["path"].rstrip("/"), "text/plain; charset=utf-8")
            return await self._log(request, await open_session(self.bus, answer.node, answer.call), media)
        if answer.call["verb"] == "dial":
            return await self._forward_ports(request, call, answer)
        upgrade = request.headers.get("Upgrade", "").lower()
        if upgrade == port_forwards.SPDY.lower():
            return await self._command_over_spdy(request, answer)
        if upgrade != "websocket":
            raise bad_request("Upgrade request required")
        socket = _socket(request, *_PROTOCOLS)
        if not socket.can_prepare(request):
            raise bad_request("the WebSocket handshake cannot be understood")
        session = await open_session(self.bus, answer.node, answer.call)
        try:
            await socket.prepare(request)
            await _relay(socket, session)
        finally:
            await session.aclose()
            await socket.close()
        return socket

    async def _command_over_spdy(self, request: web.BaseRequest, answer: StreamAnswer) -> web.StreamResponse:
        """Exec and attach as clients before WebSockets ask for them."""
        offered = ",".join(request.headers.getall("X-Stream-Protocol-Version", ()))
        if commands.VERSION not in offered.replace(" ", "").split(","):
            raise StatusError(403, "Forbidden", f"unable to upgrade: {commands.VERSION} is not among [{offered}]")
        if self.bus is None:
            raise unavailable("the bus is away, and with it the way to the nodes")
        session, wanted = await open_session(self.bus, answer.node, answer.call), commands.streams_of(answer.call)
        try:
            return await _over_connection(
                request, commands.VERSION, lambda receive, send: commands.over_spdy(receive, send, session, wanted)
            )
        finally:
            await session.aclose()

    async def _forward_ports(self, request: web.BaseRequest, call: Call, answer: StreamAnswer) -> web.StreamResponse:
        """portforward: see `kubus_apiserver.forwarding.port_forwards`."""
        upgrade = request.headers.get("Upgrade", "").lower()
        pod = f"{answer.call['pod']}, uid {answer.call['uid']}"

        async def dial(port: int) -> Session:
            if self.bus is None:
                raise unavailable("the bus is away, and with it the way to the nodes")
            return await open_session(self.bus, answer.node, {**answer.call, "port": port})

        if upgrade == port_forwards.SPDY.lower():
            return await _over_connection(
                request,
                port_forwards.STREAM_PROTOCOL,
                lambda receive, send: port_forwards.over_spdy(receive, send, dial, pod),
            )
        if upgrade != "websocket":
            raise bad_request("Upgrade request required")
        socket = _socket(request, port_forwards.TUNNELLED, port_forwards.CHANNELS)
        handshake = socket.can_prepare(request)
        if not handshake:
            raise bad_request("the WebSocket handshake cannot be understood")
        tunnelled = handshake.protocol == port_forwards.TUNNELLED
        ports = [] if tunnelled else port_forwards.ports_of(call.query.get("ports", []))
        await socket.prepare(request)
        receive = partial(_message, socket)
        with suppress(ConnectionError):
            if tunnelled:
                await _spoken(port_forwards.over_spdy(receive, socket.send_bytes, dial, pod))
            else:
                await _spoken(port_forwards.over_channels(receive, socket.send_bytes, ports, dial, pod))
        await socket.close()
        return socket

    async def watch(self, request: web.BaseRequest, start: Start) -> web.StreamResponse:
        """Serve a watch over WebSocket: one text message an event."""
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, compress=False)
        await socket.prepare(request)
        sink = MessageSink(socket, framed=start.scope.view.form.media == PROTOBUF)
        with suppress(ConnectionError):
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(sink.run())
                reading = tasks.create_task(sink.read())
                await self._watches.stream(start, sink)
                sending.cancel()
                reading.cancel()
        await socket.close()
        return socket

    async def _log(self, request: web.BaseRequest, session: Session, media: str = "text/plain") -> web.StreamResponse:
        try:
            first = await session.receive()
            if first is not None and first[0] == ERROR:
                raise _refused(first[1])
            response = web.StreamResponse(headers={"Content-Type": media, "Cache-Control": "no-cache, private"})
            response.enable_chunked_encoding()
            await response.prepare(request)
            item = first
            while item is not None:
                channel, data = item
                if channel == ERROR:
                    break
                if channel != CLOSE and data:
                    await response.write(data)
                item = await session.receive()
            await response.write_eof()
        except SessionLost as error:
            raise unavailable(f"the log stream was lost: {error}") from None
        except ConnectionError:
            return web.StreamResponse()  # the reader has gone
        finally:
            await session.aclose()
        return response


def _socket(request: web.BaseRequest, *protocols: str) -> web.WebSocketResponse:
    """A WebSocket of one of the protocols.

    Raises:
        StatusError: 403, the client names protocols and knows none of them.
    """
    named = ",".join(request.headers.getall("Sec-WebSocket-Protocol", ())).split(",")
    offered = [each.strip() for each in named if each.strip() and not is_bearer_protocol(each.strip())]
    if offered and not set(offered) & set(protocols):
        words = f"requested protocol(s) are not supported: {offered}; supports {list(protocols)}"
        raise StatusError(403, "Forbidden", words)
    return web.WebSocketResponse(
        protocols=protocols, max_msg_size=_MESSAGE_BYTES_MAX, heartbeat=_HEARTBEAT_SECONDS, compress=False
    )


async def _message(socket: web.WebSocketResponse) -> bytes:
    """The next message that is not empty; b"" at the end."""
    async for message in socket:
        if message.type is WSMsgType.BINARY and message.data:
            return bytes(message.data)
    return b""


async def _spoken(conversation: Coroutine[None, None, None]) -> None:
    """A conversation to its end, which may be that the client goes or speaks nonsense."""
    try:
        await conversation
    except* (ConnectionError, SpdyError, SessionLost) as ended:
        _log.info("a client's streams ended: %s", ended.exceptions[0])


async def _over_connection(
    request: web.BaseRequest, version: str, conversation: Callable[[Receive, Send], Coroutine[None, None, None]]
) -> web.StreamResponse:
    """SPDY on the connection itself, as clients before WebSockets speak it."""
    if request.transport is None:
        raise bad_request("the connection has ended")
    taken = Takeover(request.transport)
    writer = taken.writer

    async def send(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    try:
        await send(_SWITCHING + f"X-Stream-Protocol-Version: {version}\r\n\r\n".encode())
        await _spoken(conversation(partial(taken.reader.read, _READ_BYTES), send))
    finally:
        taken.give_back()
    return Written(keep_alive=False)


class MessageSink:
    """A watch's way out over WebSocket. Sending waits here, so that the watch itself need not."""

    def __init__(self, socket: web.WebSocketResponse, *, framed: bool = False) -> None:
        self._socket = socket
        self._framed = framed
        """Whether events are binary, each behind its length, which a message needs no more."""
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=10_000)
        self.overrun = False

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent."""
        return self.overrun or self._socket.closed

    def send(self, batch: Batch) -> None:
        """Queue the events of a batch; a reader too far behind is left."""
        for event in batch.events:
            try:
                self._queue.put_nowait(event)
            except asyncio.QueueFull:
                self.overrun = True
                return

    async def drained(self) -> None:
        """Wait until the queue is short."""
        while self._queue.qsize() > 1000 and not self.closed:  # noqa: ASYNC110  a queue tells nobody its length
            await asyncio.sleep(_DRAIN_SECONDS)

    async def run(self) -> None:
        """Send what is queued, for ever."""
        while True:
            event = await self._queue.get()
            await (self._socket.send_bytes(event[4:]) if self._framed else self._socket.send_str(event.decode()))

    async def read(self) -> None:
        """Notice that the client closes."""
        while not self._socket.closed:
            await self._socket.receive()


async def _relay(socket: web.WebSocketResponse, session: Session) -> None:
    """Both directions, until the kubelet has said its last word or the client has gone."""
    with suppress(ConnectionError, SessionLost):
        async with asyncio.TaskGroup() as tasks:
            upward = tasks.create_task(_upward(socket, session))
            try:
                await _downward(socket, session)
            finally:
                upward.cancel()


async def _downward(socket: web.WebSocketResponse, session: Session) -> None:
    said = False
    while True:
        try:
            item = await session.receive()
        except SessionLost as error:
            lost = to_json(internal(f"the stream was lost: {error}").status)
            await socket.send_bytes(bytes([ERROR]) + lost)
            return
        if item is None:
            if not said:
                await socket.send_bytes(bytes([ERROR]) + _SUCCESS)
            return
        channel, data = item
        if channel == CLOSE:
            if socket.ws_protocol == _PROTOCOLS[0]:
                await socket.send_bytes(bytes([CLOSE]) + data)
            continue
        said = said or channel == ERROR
        await socket.send_bytes(bytes([channel]) + data)


async def _upward(socket: web.WebSocketResponse, session: Session) -> None:
    with suppress(SessionLost):
        async for message in socket:
            data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT) or not data:
                continue
            channel, content = data[0], data[1:]
            if channel == CLOSE:
                await session.close_channel(content[0] if content else STDIN)
            elif content:
                await session.send(channel, content)
        await session.aclose()  # the client has gone


def _refused(data: bytes) -> StatusError:
    try:
        return StatusError.from_status(from_json(data))
    except (DecodeError, AttributeError, TypeError, ValueError):
        return internal("the kubelet's refusal cannot be read")
