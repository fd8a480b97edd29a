"""Sessions: streams between the apiserver and a kubelet, over the bus.

exec, attach and logs need bytes in both directions, in order, for hours, between a node that may have no open port and
whichever apiserver has the client. A call on `kubus.node.<node>.call` opens a session; then each side publishes frames
on its own subject (`….session.<id>.up` to the kubelet, `.down` from it).

    call     request `[1, {"verb": "exec", "namespace": …, "pod": …, …}]`, reply `[1, code, {"session": id} | Status]`
    frame    `[channel, bytes, number]`: 0 stdin, 1 stdout, 2 stderr, 3 error (a Status as JSON, last),
             4 resize (JSON `{"Width", "Height"}`), 255 close of a channel (one byte: which; 255 ends the session)
    control  `[254, [frames taken, bytes taken, frames sent], 0]`: credit, and a sign of life every five seconds

The bus may lose messages; a stream may not, so frames are numbered and control frames say how many were sent: whoever
misses one gives the session up with `SessionLost`. Control frames hold totals, so that a lost one does no harm.
A side sends at most `WINDOW_FRAMES` or `WINDOW_BYTES` beyond what the other has *taken* (`receive`), so that a slow
terminal slows the container down instead of filling memory. The kubelet sends nothing before the apiserver's first
control frame: then the apiserver is known to listen. A peer that is silent for 30 s is dead.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from kubus.bus import Bus, BusError, Disconnected, Disturbed, Message, Subscription
from kubus.bus.subjects import node_call_subject, session_subjects
from kubus.bus.tasks import Tasks
from kubus.bus.wire import VERSION, decode_reply, encode_reply
from kubus.model import errors
from kubus.model.codec import DecodeError, pack, to_json, unpack
from kubus.model.errors import StatusError

_log = logging.getLogger(__name__)

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
_CONTROL = 254
_END = bytes([CLOSE])
WINDOW_FRAMES = 64
WINDOW_BYTES = 1024 * 1024
FRAME_BYTES_MAX = 64 * 1024
_KEEPALIVE_SECONDS = 5.0
_DEAD_SECONDS = 30.0

Work = Callable[["Session"], Awaitable[None]]
Accept = Callable[[dict[str, Any]], Awaitable[Work]]
"""Takes a call and gives what to do with its session; a `StatusError` refuses it."""


class SessionLost(BusError):
    """The other side is gone, or something of the stream was lost."""


class Unreachable(StatusError):
    """A kubelet, or the bus, is away: nobody has been asked."""

    def __init__(self, message: str) -> None:
        super().__init__(503, "ServiceUnavailable", message, {"retryAfterSeconds": 1})


class Session:
    """One end of a session. One task may send while another receives."""

    def __init__(self, bus: Bus, send_subject: str, incoming: Subscription, *, peer_listens: bool) -> None:
        self._bus = bus
        self._subject = send_subject
        self._incoming = incoming
        self._tasks = Tasks()
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._changed = asyncio.Event()
        self._credit = asyncio.Event()
        self._peer_listens = peer_listens
        self._sent_frames = self._sent_bytes = 0
        self._peer_took_frames = self._peer_took_bytes = 0
        self._got_frames = 0
        self._took_frames = self._took_bytes = self._told_frames = self._told_bytes = 0
        self._heard_at = asyncio.get_running_loop().time()
        self._ended = False
        self._closed = False
        self._lost = ""
        self._tasks.start(self._pump())
        self._tasks.start(self._keep_alive())

    async def send(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel; waits while the other side is behind.

        Raises:
            SessionLost: nobody takes them any more.
        """
        for start in range(0, len(data), FRAME_BYTES_MAX):
            await self._send_frame(channel, data[start : start + FRAME_BYTES_MAX])

    async def close_channel(self, channel: int) -> None:
        """No more will be sent on a channel (stdin, for one); the other side receives `(CLOSE, bytes([channel]))`.

        Raises:
            SessionLost
        """
        await self._send_frame(CLOSE, bytes([channel]))

    async def receive(self) -> tuple[int, bytes] | None:
        """The next (channel, bytes); None when the other side has ended the session.

        Raises:
            SessionLost
        """
        while not self._waiting:
            if self._lost:
                raise SessionLost(self._lost)
            if self._ended or self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        channel, data = self._waiting.popleft()
        self._took_frames += 1
        self._took_bytes += len(data)
        if (
            self._took_frames - self._told_frames >= WINDOW_FRAMES // 2
            or self._took_bytes - self._told_bytes >= WINDOW_BYTES // 2
        ):
            await self.greet()
        return channel, data

    async def heard(self) -> None:
        """Wait until the other side listens: what is said before that, even a farewell, nobody hears."""
        while not (self._peer_listens or self._lost or self._ended):
            self._credit.clear()
            await self._credit.wait()

    async def greet(self) -> None:
        """Tell the other side what has been taken and sent so far; also that we listen."""
        self._told_frames, self._told_bytes = self._took_frames, self._took_bytes
        counts = [self._took_frames, self._took_bytes, self._sent_frames]
        try:
            await self._bus.publish(self._subject, pack([_CONTROL, counts, 0]))
        except BusError as error:
            self._give_up(f"the bus is away: {error}")

    async def aclose(self) -> None:
        """End the session; what was sent before still arrives."""
        if self._closed:
            return
        self._closed = True
        self._changed.set()
        self._credit.set()
        if not self._ended and not self._lost:
            try:
                self._sent_frames += 1
                await self._bus.publish(self._subject, pack([CLOSE, _END, self._sent_frames]))
            except BusError:
                _log.debug("a session ended without a farewell")
        await self._tasks.aclose()
        await self._incoming.aclose()

    async def _send_frame(self, channel: int, data: bytes) -> None:
        while not self._may_send(len(data)):
            self._credit.clear()
            await self._credit.wait()
        self._sent_frames += 1
        self._sent_bytes += len(data)
        try:
            await self._bus.publish(self._subject, pack([channel, data, self._sent_frames]))
        except BusError as error:
            self._give_up(f"the bus is away: {error}")
            raise SessionLost(self._lost) from None

    def _may_send(self, size: int) -> bool:
        """Whether the other side has room.

        Raises:
            SessionLost: there is no other side any more.
        """
        if self._lost or self._ended or self._closed:
            raise SessionLost(self._lost or "the session has ended")
        return (
            self._peer_listens
            and self._sent_frames - self._peer_took_frames < WINDOW_FRAMES
            and self._sent_bytes - self._peer_took_bytes + size <= WINDOW_BYTES
        )

    async def _pump(self) -> None:
        try:
            while not self._ended and not self._lost:
                for item in await self._incoming.next_batch():
                    if isinstance(item, Disturbed):
                        continue  # what was lost is found by the numbers
                    self._heard_at = asyncio.get_running_loop().time()
                    self._take(*unpack(item.data))
        except Disconnected:
            self._give_up("the bus was closed")
        except (DecodeError, TypeError, ValueError, IndexError) as error:
            self._give_up(f"a frame cannot be read: {error}")

    def _take(self, channel: int, content: Any, number: int) -> None:
        if self._ended or self._lost:
            return
        if channel == _CONTROL:
            self._peer_took_frames, self._peer_took_bytes, sent = content
            self._peer_listens = True
            self._credit.set()
            if sent > self._got_frames:
                self._give_up(f"frames {self._got_frames + 1} to {sent} were lost")
            return
        self._got_frames += 1
        if number != self._got_frames:
            self._give_up(f"frame {self._got_frames} was lost")
        elif channel == CLOSE and content == _END:
            self._ended = True
            self._changed.set()
            self._credit.set()
        else:
            self._waiting.append((channel, content))
            self._changed.set()

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._ended and not self._lost:
            await asyncio.sleep(_KEEPALIVE_SECONDS)
            if loop.time() - self._heard_at > _DEAD_SECONDS:
                self._give_up("the other side is silent")
            else:
                await self.greet()

    def _give_up(self, reason: str) -> None:
        self._lost = self._lost or reason
        self._changed.set()
        self._credit.set()


async def open_session(bus: Bus, node: str, call: dict[str, Any], *, timeout_seconds: float = 30.0) -> Session:
    """Have a kubelet do something, and the stream to it.

    Raises:
        StatusError: the kubelet refuses, or cannot be reached.
    """
    try:
        reply = await bus.request(node_call_subject(node), pack([VERSION, call]), timeout_seconds=timeout_seconds)
        code, body = decode_reply(reply)
    except (BusError, DecodeError) as error:
        raise Unreachable(f"the kubelet of node {node} cannot be reached: {error}") from None
    if code >= 400:
        raise StatusError.from_status(body)
    up, down = session_subjects(node, body["session"])
    try:
        incoming = await bus.subscribe(down)
    except BusError as error:
        raise Unreachable(f"the kubelet of node {node} cannot be heard: {error}") from None
    session = Session(bus, up, incoming, peer_listens=True)
    await session.greet()
    return session


async def serve_sessions(bus: Bus, node: str, accept: Accept) -> SessionServer:
    """Take calls for a node (the kubelet's side), many at once; close the result to stop."""
    server = SessionServer(bus, node, accept)
    await server.start()
    return server


class SessionServer:
    """The kubelet's side: see `serve_sessions`."""

    def __init__(self, bus: Bus, node: str, accept: Accept) -> None:
        self._bus = bus
        self._node = node
        self._accept = accept
        self._tasks = Tasks()
        self._serving: Subscription | None = None

    async def start(self) -> None:
        """Take calls from now on."""
        self._serving = await self._bus.serve(node_call_subject(self._node), self._call)

    async def aclose(self) -> None:
        """Take no more calls and end the sessions."""
        if self._serving is not None:
            await self._serving.aclose()
        await self._tasks.aclose()

    async def _call(self, message: Message) -> bytes:
        try:
            version, call = unpack(message.data)
            if version != VERSION or not isinstance(call, dict):
                raise errors.bad_request("not a call that this kubelet reads")
            work = await self._accept(call)
            session_id = secrets.token_hex(8)
            up, down = session_subjects(self._node, session_id)
            incoming = await self._bus.subscribe(up)
        except StatusError as error:
            return encode_reply(error.code, error.status)
        except (DecodeError, TypeError, ValueError) as error:
            refusal = errors.bad_request(f"not a call: {error}")
            return encode_reply(refusal.code, refusal.status)
        self._tasks.start(_run(work, Session(self._bus, down, incoming, peer_listens=False)))
        return encode_reply(200, {"session": session_id})


async def _run(work: Work, session: Session) -> None:
    """Work on a session; what goes wrong is said on its error channel."""
    try:
        await work(session)
        await session.heard()
    except Exception as error:
        await _say(session, _first_of(error))
    finally:
        await session.aclose()


async def _say(session: Session, error: BaseException) -> None:
    if isinstance(error, SessionLost):
        _log.info("a session ended: %s", error)
        return
    if not isinstance(error, StatusError):
        _log.error("a session failed", exc_info=error)
        error = errors.internal(str(error))
    try:
        await session.send(ERROR, to_json(error.status))
    except SessionLost as lost:
        _log.info("a session ended: %s", lost)


def _first_of(error: BaseException) -> BaseException:
    """What a group of errors is about: the first that is not merely the end of the session."""
    while isinstance(error, BaseExceptionGroup):
        _, telling = error.split(SessionLost)
        error = (telling or error).exceptions[0]
    return error
