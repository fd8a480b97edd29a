"""What goes out when, whatever is sent and however the windows grow."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.store.wire import frames
from kubus.store.wire.frames import FrameReader
from kubus.store.wire.messages import prefixed
from kubus.store.wire.sending import Sender, Stream

STREAMS = 3
STEPS = st.lists(
    st.tuples(st.just("send"), st.integers(0, STREAMS - 1), st.integers(0, 40_000))
    | st.tuples(st.just("widen"), st.integers(0, STREAMS - 1) | st.none(), st.integers(1, 50_000))
    | st.tuples(st.just("window"), st.none(), st.integers(0, 70_000))
    | st.tuples(st.just("forget"), st.integers(0, STREAMS - 1), st.just(0)),
    max_size=25,
)


class Server:
    """What the server has allowed, and what came of it."""

    def __init__(self) -> None:
        self.connection = self.initial = frames.WINDOW_BYTES_DEFAULT
        self.windows = dict.fromkeys(range(STREAMS), frames.WINDOW_BYTES_DEFAULT)
        self.came = dict.fromkeys(range(STREAMS), b"")
        self._reader = FrameReader()

    def take(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            if frame.kind == frames.DATA:
                stream, size = frame.stream // 2, len(frame.payload)
                assert size <= min(self.windows[stream], self.connection), "more than the server allows"
                self.windows[stream] -= size
                self.connection -= size
                self.came[stream] += frame.payload


@settings(max_examples=80)
@given(STEPS)
def test_never_more_than_allowed_and_in_the_end_everything_in_order(steps):
    sender, server = Sender(), Server()
    streams = [Stream(b"", None) for _ in range(STREAMS)]
    sent, forgotten = dict.fromkeys(range(STREAMS), b""), set()
    for number, stream in enumerate(streams):
        stream.id = 1 + 2 * number
        sender.begin(stream)
    for what, at, size in steps:
        if what == "send" and at not in forgotten:
            message = bytes([at]) * size
            sender.send(streams[at], message, last=False)
            sent[at] += prefixed(message)
        elif what == "widen" and at not in forgotten:
            if at is None:
                server.connection += size
            else:
                server.windows[at] += size
            sender.widen(size, None if at is None else streams[at])
        elif what == "window":
            for each in server.windows:
                server.windows[each] += size - server.initial
            server.initial = size
            sender.set_stream_window(size, streams)
            sender.pump()
        elif what == "forget":
            forgotten.add(at)
            sender.forget(streams[at])
        server.take(sender.outgoing())
    for number, stream in enumerate(streams):
        server.windows[number] += 10_000_000
        sender.widen(10_000_000, stream)
    server.connection += 10_000_000
    sender.widen(10_000_000, None)
    server.take(sender.outgoing())
    for each in range(STREAMS):
        if each in forgotten:
            assert sent[each].startswith(server.came[each])
        else:
            assert server.came[each] == sent[each]
    assert not sender.has_something
