"""The machine of one connection to a gRPC server: calls and bytes in, events and bytes out. No I/O, no clock.

Whoever drives it opens streams and sends messages (`open`, `send`, `cancel`, `taken`), hands over what the socket
brings (`receive`) and what time it is (`tick`), carries each event to the caller it belongs to, and writes
`outgoing()`.

What we may send is up to the server (`sending`). What the server may send is up to us: the connection's window stands
wide open, and each stream's is topped up when half of it is used, unless its reader has messages waiting: a slow
reader of a stream thereby slows down that stream, and no other.

Every stream that was opened ends with exactly one `Ended`, unless it is cancelled.
"""

from __future__ import annotations

from typing import NamedTuple

from kubus.store.wire import frames, headers
from kubus.store.wire.frames import Frame, FrameReader, ProtocolError
from kubus.store.wire.messages import MessageError
from kubus.store.wire.sending import Sender, Stream
from kubus.store.wire.statuses import Status, of_reset, of_text

STREAM_WINDOW_BYTES = 1 << 23
KEEPALIVE_SECONDS = 10.0
"""Of silence, before a sign of life is asked for; etcd hangs up on clients that ask more often than every 5 s."""
KEEPALIVE_PATIENCE_SECONDS = 5.0
_KEEPALIVE = b"kubus-up"
_HALF_OPEN = frames.NUMBER_MAX // 2
_LAST_ID = frames.NUMBER_MAX - 2**20
"""Numbers of streams are used up after days of writing; those that wait for their turn still get theirs."""


class Received(NamedTuple):
    """A message has come."""

    stream: Stream
    message: bytes


class Ended(NamedTuple):
    """A stream has ended."""

    stream: Stream
    status: Status
    details: str
    unseen: bool
    """The server has not looked at it."""


Event = Received | Ended


class Connection:
    """HTTP/2, the client's side."""

    def __init__(self) -> None:
        ours = {
            frames.HEADER_TABLE_SIZE: 0,
            frames.ENABLE_PUSH: 0,
            frames.INITIAL_WINDOW_SIZE: STREAM_WINDOW_BYTES,
        }
        widened = frames.NUMBER_MAX - frames.WINDOW_BYTES_DEFAULT
        self._sender = Sender()
        self._sender.write(frames.PREFACE, frames.settings(ours), frames.number(frames.WINDOW_UPDATE, 0, widened))
        self._reader = FrameReader()
        self._streams: dict[int, Stream] = {}
        self._waiting: list[Stream] = []
        """Streams that the server does not take yet."""
        self._next_id = 1
        self._credit = 0
        self._their_streams = frames.NUMBER_MAX
        self._headers_of: Frame | None = None
        """A header block of which there is more to come."""
        self._heard_at = 0.0
        self._asked_at: float | None = None
        self.is_ready = False
        """The server has spoken: it has let us in."""
        self.is_closing = False
        """No more calls; those under way go on."""
        self.why_lost = ""
        """Not "": the connection is over."""

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way."""
        return not self._streams and not self._waiting

    @property
    def is_eager(self) -> bool:
        """Whether there is something to write, or nothing more to wait for."""
        return self._sender.has_something or self.is_closing

    def outgoing(self) -> bytes:
        """What is to be written."""
        return self._sender.outgoing()

    def open(self, block: bytes, deadline: float | None = None) -> Stream:
        """A new stream with its headers; `deadline` by the clock of `tick`."""
        stream = Stream(block, deadline)
        if len(self._streams) < self._their_streams and not self._waiting:
            self._begin(stream)
        else:
            self._waiting.append(stream)
        return stream

    def send(self, stream: Stream, message: bytes, *, last: bool) -> None:
        """Send a message; the last one ends our side of the stream."""
        self._sender.send(stream, message, last=last)

    def cancel(self, stream: Stream) -> None:
        """Nobody waits for it any more. No event follows."""
        self._reset(stream, frames.CANCEL)
        self._admit()

    def taken(self, stream: Stream) -> None:
        """The reader has all messages that came; the server may send more."""
        stream.backlog = False
        self._top_up(stream)

    def receive(self, data: bytes, now: float) -> list[Event]:
        """What bytes from the server mean."""
        self._heard_at, self._asked_at = now, None
        events: list[Event] = []
        try:
            for frame in self._reader.feed(data):
                self._take(frame, events)
        except ProtocolError as error:
            self._sender.write(frames.goaway(error.code, str(error)))
            events += self.lose(f"protocol error: {error}")
        return events

    def tick(self, now: float) -> list[Event]:
        """What the time means: deadlines that are over, and a server that is silent for too long."""
        streams = [*self._streams.values(), *self._waiting]
        late = [stream for stream in streams if stream.deadline is not None and stream.deadline <= now]
        for stream in late:
            self._reset(stream, frames.CANCEL)
        events: list[Event] = [
            Ended(stream, Status.DEADLINE_EXCEEDED, "no answer in time", unseen=not stream.id) for stream in late
        ]
        self._admit()
        if self._asked_at is not None:
            if now - self._asked_at > KEEPALIVE_PATIENCE_SECONDS:
                events += self.lose("the server is silent")
        elif self._streams and now - self._heard_at > KEEPALIVE_SECONDS:
            self._asked_at = now
            self._sender.write(frames.frame(frames.PING, 0, 0, _KEEPALIVE))
        return events

    def lose(self, why: str) -> list[Event]:
        """The connection is over: what was under way has ended."""
        self.why_lost = self.why_lost or why
        self.is_closing = True
        streams = [*self._streams.values(), *self._waiting]
        self._streams.clear()
        self._waiting.clear()
        return [Ended(stream, Status.UNAVAILABLE, self.why_lost, unseen=not stream.id) for stream in streams]

    def _begin(self, stream: Stream) -> None:
        stream.id = self._next_id
        self._next_id += 2
        self.is_closing = self.is_closing or self._next_id > _LAST_ID
        self._streams[stream.id] = stream
        self._sender.begin(stream)

    def _admit(self) -> None:
        """Begin streams that waited for others to end."""
        if self._waiting:
            room = max(0, self._their_streams - len(self._streams))
            for stream in self._waiting[:room]:
                self._begin(stream)
            del self._waiting[:room]
            self._sender.pump()

    def _reset(self, stream: Stream, code: int) -> None:
        """End a stream from our side."""
        if self._streams.pop(stream.id, None) is not None:
            self._sender.write(frames.number(frames.RST_STREAM, stream.id, code))
        elif stream in self._waiting:
            self._waiting.remove(stream)
        self._sender.forget(stream)

    def _end(self, stream: Stream, status: Status, details: str, events: list[Event], *, unseen: bool = False) -> None:
        """The server has ended a stream."""
        if stream.pending or not stream.last:
            self._reset(stream, frames.CANCEL)
        else:
            self._streams.pop(stream.id, None)
        events.append(Ended(stream, status, details, unseen))
        self._admit()

    def _take(self, frame: Frame, events: list[Event]) -> None:
        if self._headers_of is not None and frame.kind != frames.CONTINUATION:
            raise ProtocolError(frames.PROTOCOL_ERROR, "headers without their end")
        if frame.kind == frames.DATA:
            self._data(frame, events)
        elif frame.kind == frames.HEADERS:
            if frame.flags & (frames.PADDED | frames.PRIORITIZED):
                frame = frame._replace(payload=frames.content(frame))
            self._headers(frame, events)
        elif frame.kind == frames.WINDOW_UPDATE:
            self._widened(frame)
        elif frame.kind == frames.PING:
            if not frame.flags & frames.ACK:
                self._sender.write(frames.frame(frames.PING, frames.ACK, 0, frame.payload))
        elif frame.kind == frames.SETTINGS:
            self._settings(frame)
        elif frame.kind == frames.RST_STREAM:
            self._was_reset(frame, events)
        elif frame.kind == frames.GOAWAY:
            self._going_away(frame, events)
        elif frame.kind == frames.CONTINUATION:
            self._continued(frame, events)
        elif frame.kind == frames.PUSH_PROMISE:
            raise ProtocolError(frames.PROTOCOL_ERROR, "a push that was ruled out")

    def _data(self, frame: Frame, events: list[Event]) -> None:
        size = len(frame.payload)
        self._credit += size
        if self._credit > _HALF_OPEN:
            self._sender.write(frames.number(frames.WINDOW_UPDATE, 0, self._credit))
            self._credit = 0
        stream = self._streams.get(frame.stream)
        if stream is None:
            self._check_known(frame.stream)
            return
        stream.credit += size
        if stream.credit > STREAM_WINDOW_BYTES:
            self._reset(stream, frames.FLOW_CONTROL_ERROR)
            self._end(stream, Status.INTERNAL, "more data than the window allows", events)
            return
        try:
            for message in stream.assembler.feed(frames.content(frame)):
                stream.backlog = not stream.last
                events.append(Received(stream, message))
        except MessageError as error:
            self._reset(stream, frames.CANCEL)
            self._end(stream, Status.INTERNAL, str(error), events)
            return
        if frame.flags & frames.END_STREAM:
            self._end(stream, Status.INTERNAL, "an end without a status", events)
        elif stream.credit > STREAM_WINDOW_BYTES // 2:
            self._top_up(stream)

    def _top_up(self, stream: Stream) -> None:
        if stream.credit > STREAM_WINDOW_BYTES // 2 and not stream.backlog and stream.id in self._streams:
            self._sender.write(frames.number(frames.WINDOW_UPDATE, stream.id, stream.credit))
            stream.credit = 0

    def _check_known(self, stream_id: int) -> None:
        """What comes for a stream that has ended is passed over; one that was never opened is an error."""
        if stream_id == 0 or stream_id >= self._next_id or not stream_id % 2:
            raise ProtocolError(frames.PROTOCOL_ERROR, f"stream {stream_id} is not open")

    def _headers(self, frame: Frame, events: list[Event]) -> None:
        if not frame.flags & frames.END_HEADERS:
            self._headers_of = frame
            return
        stream = self._streams.get(frame.stream)
        if stream is None:
            self._check_known(frame.stream)
            return
        fields = headers.read_block(frame.payload)
        if frame.flags & frames.END_STREAM:
            status = of_text(fields.get("grpc-status", ""))
            details = headers.details(fields) if "grpc-status" in fields else _without_status(fields)
            if not stream.assembler.is_between_messages and status is Status.OK:
                status, details = Status.INTERNAL, "an end inside of a message"
            self._end(stream, status, details, events)
        elif not stream.answered:
            if fields.get(":status") != "200":
                self._reset(stream, frames.CANCEL)
                self._end(stream, Status.UNAVAILABLE, _without_status(fields), events)
            stream.answered = True

    def _continued(self, frame: Frame, events: list[Event]) -> None:
        begun = self._headers_of
        if begun is None or begun.stream != frame.stream:
            raise ProtocolError(frames.PROTOCOL_ERROR, "a continuation of nothing")
        block = begun.payload + frame.payload
        if len(block) > headers.BLOCK_BYTES_MAX:
            raise ProtocolError(frames.ENHANCE_YOUR_CALM, "headers without end")
        self._headers_of = None
        ends = frame.flags & frames.END_HEADERS
        self._headers(Frame(frames.HEADERS, begun.flags | ends, begun.stream, block), events)

    def _widened(self, frame: Frame) -> None:
        more = frames.read_number(frame.payload) & frames.NUMBER_MAX
        stream = self._streams.get(frame.stream)
        if stream is not None or frame.stream == 0:
            self._sender.widen(more, stream)

    def _settings(self, frame: Frame) -> None:
        self.is_ready = True
        if frame.flags & frames.ACK:
            return
        for name, value in frames.read_settings(frame.payload):
            if name == frames.INITIAL_WINDOW_SIZE:
                self._sender.set_stream_window(value, self._streams.values())
            elif name == frames.MAX_FRAME_SIZE:
                self._sender.set_frame_bytes_max(value)
            elif name == frames.MAX_CONCURRENT_STREAMS:
                self._their_streams = value
        self._sender.write(frames.frame(frames.SETTINGS, frames.ACK, 0, b""))
        self._admit()
        self._sender.pump()

    def _was_reset(self, frame: Frame, events: list[Event]) -> None:
        code = frames.read_number(frame.payload)
        stream = self._streams.pop(frame.stream, None)
        if stream is None:
            self._check_known(frame.stream)
            return
        self._sender.forget(stream)
        unseen = code == frames.REFUSED_STREAM
        events.append(Ended(stream, of_reset(code), f"the server has reset the stream: {code}", unseen))
        self._admit()

    def _going_away(self, frame: Frame, events: list[Event]) -> None:
        """The server takes no more streams; what it has not looked at it names."""
        self.is_closing = True
        last = int.from_bytes(frame.payload[:4], "big") & frames.NUMBER_MAX
        why = f"the server goes away: {frame.payload[8:].decode(errors='replace')}"
        unseen = [stream for stream in self._streams.values() if stream.id > last] + self._waiting
        self._waiting = []
        for stream in unseen:
            self._streams.pop(stream.id, None)
            self._sender.forget(stream)
            events.append(Ended(stream, Status.UNAVAILABLE, why, unseen=True))


def _without_status(fields: dict[str, str]) -> str:
    return f"an answer that is not gRPC's: HTTP status {fields.get(':status', 'unknown')}"
