"""Streams, and the sending half of a connection: what we may send is up to the server.

A message that fits into the windows goes out at once. One that does not waits, in the order in which messages came, and
goes out in parts as the windows grow; it holds up others only where the connection's own window is used up.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubus.store.wire import frames
from kubus.store.wire.messages import Assembler, prefixed


class Stream:
    """One call on a connection."""

    __slots__ = ("answered", "assembler", "backlog", "block", "credit", "deadline", "id", "last", "pending", "window")

    def __init__(self, block: bytes, deadline: float | None) -> None:
        self.id = 0
        """0: the server does not take more streams yet."""
        self.block = block
        self.deadline = deadline
        self.window = 0
        """Bytes that the server takes at the moment."""
        self.pending = bytearray()
        """What waits for a window."""
        self.last = False
        """No further message will be sent."""
        self.answered = False
        self.assembler = Assembler()
        self.credit = 0
        """Bytes that came since the server was told that it may send more."""
        self.backlog = False
        """Messages wait for their reader."""


class Sender:
    """What is to be written, and what has to wait."""

    def __init__(self) -> None:
        self._out: list[bytes] = []
        self._blocked: dict[Stream, None] = {}
        """Streams with something to send, in the order in which they came."""
        self._window = frames.WINDOW_BYTES_DEFAULT
        self._stream_window = frames.WINDOW_BYTES_DEFAULT
        self._frame_bytes_max = frames.FRAME_BYTES_MAX

    @property
    def has_something(self) -> bool:
        """Whether there is something to write now."""
        return bool(self._out)

    def outgoing(self) -> bytes:
        """What is to be written."""
        out, self._out = self._out, []
        return b"".join(out)

    def write(self, *data: bytes) -> None:
        """Write frames that no window holds back."""
        self._out += data

    def begin(self, stream: Stream) -> None:
        """Send a stream's headers, and the messages that it has already."""
        stream.window = self._stream_window
        self._out.append(frames.frame(frames.HEADERS, frames.END_HEADERS, stream.id, stream.block))
        if stream.pending:
            self._blocked[stream] = None

    def send(self, stream: Stream, message: bytes, *, last: bool) -> None:
        """Send a message when there is room; the last one ends our side of the stream."""
        data = prefixed(message)
        size = len(data)
        stream.last = last
        if stream.id and not self._blocked and size <= min(stream.window, self._window, self._frame_bytes_max):
            stream.window -= size
            self._window -= size
            self._out += (frames.head(frames.DATA, frames.END_STREAM if last else 0, stream.id, size), data)
            return
        stream.pending += data
        if stream.id:
            self._blocked[stream] = None
            self.pump()

    def forget(self, stream: Stream) -> None:
        """It has ended; what it still had to send goes nowhere."""
        self._blocked.pop(stream, None)

    def pump(self) -> None:
        """Send of what waits as much as the windows allow."""
        for stream in list(self._blocked):
            while stream.pending and (room := min(stream.window, self._window, self._frame_bytes_max)) > 0:
                data = bytes(stream.pending[:room])
                del stream.pending[:room]
                stream.window -= len(data)
                self._window -= len(data)
                flags = frames.END_STREAM if stream.last and not stream.pending else 0
                self._out.append(frames.frame(frames.DATA, flags, stream.id, data))
            if not stream.pending:
                del self._blocked[stream]
            if self._window <= 0:
                return

    def widen(self, more: int, stream: Stream | None) -> None:
        """The server takes more: on a stream, or (None) on the connection.

        Raises:
            ProtocolError: the connection's window cannot become so.
        """
        if stream is not None:
            stream.window += more
        else:
            self._window += more
            if more == 0 or self._window > frames.NUMBER_MAX:
                raise frames.ProtocolError(frames.FLOW_CONTROL_ERROR, "a window that cannot be")
        if self._blocked:
            self.pump()

    def set_stream_window(self, value: int, streams: Iterable[Stream]) -> None:
        """The server sets the window with which streams begin; those that have begun change by as much."""
        for stream in streams:
            stream.window += value - self._stream_window
        self._stream_window = value

    def set_frame_bytes_max(self, value: int) -> None:
        """The server takes frames of this length."""
        self._frame_bytes_max = value
