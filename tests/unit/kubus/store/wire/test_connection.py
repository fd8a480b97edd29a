"""The machine of a connection: as a playbook, frame by frame, and against h2, which wrote its own."""

from __future__ import annotations

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.store.wire import frames
from kubus.store.wire.connection import (
    KEEPALIVE_PATIENCE_SECONDS,
    KEEPALIVE_SECONDS,
    STREAM_WINDOW_BYTES,
    Connection,
    Ended,
    Received,
)
from kubus.store.wire.frames import Frame, FrameReader
from kubus.store.wire.headers import request_block
from kubus.store.wire.messages import prefixed
from kubus.store.wire.sending import Stream
from kubus.store.wire.statuses import Status
from kubus.testing.rpc_server import block

REQUEST = request_block("http", "etcd:2379", "/a.B/C")
ANSWER_HEADERS = block(status="200", content_type="application/grpc")
TRAILERS = block(grpc_status="0", grpc_message="")


class Play:
    """A connection and a server's hand: `sent` is what the client wrote, `told` what it is told."""

    def __init__(self, **server_settings: int) -> None:
        self.connection = Connection()
        self._reader = FrameReader()
        first = self.connection.outgoing()
        assert first.startswith(frames.PREFACE)
        self.greeting = self._reader.feed(first[len(frames.PREFACE) :])
        values = {getattr(frames, name.upper()): value for name, value in server_settings.items()}
        assert self.told(frames.settings(values)) == []
        assert self.sent() == [Frame(frames.SETTINGS, frames.ACK, 0, b"")]

    def sent(self) -> list[Frame]:
        return self._reader.feed(self.connection.outgoing())

    def told(self, *data: bytes, now: float = 0.0) -> list[Received | Ended]:
        return self.connection.receive(b"".join(data), now)

    def asked(self, message: bytes = b"hello", deadline: float | None = None) -> Stream:
        stream = self.connection.open(REQUEST, deadline)
        self.connection.send(stream, message, last=True)
        return stream


def headers(stream: int, data: bytes, flags: int = 0) -> bytes:
    return frames.frame(frames.HEADERS, flags | frames.END_HEADERS, stream, data)


def data(stream: int, payload: bytes, flags: int = 0) -> bytes:
    return frames.frame(frames.DATA, flags, stream, payload)


def trailers(stream: int, status: int = 0, details: str = "") -> bytes:
    return headers(stream, block(grpc_status=str(status), grpc_message=details), frames.END_STREAM)


def answered(stream: int, message: bytes = b"hi") -> bytes:
    return headers(stream, ANSWER_HEADERS) + data(stream, prefixed(message)) + trailers(stream)


def sizes(sent: list[Frame]) -> list[tuple[int, int, bool]]:
    """Stream, bytes, whether it is the end: of the DATA frames."""
    return [
        (frame.stream, len(frame.payload), bool(frame.flags & frames.END_STREAM))
        for frame in sent
        if frame.kind == frames.DATA
    ]


def test_the_greeting_forbids_tables_and_pushes_and_opens_the_windows():
    setting, window = Play().greeting
    assert dict(frames.read_settings(setting.payload)) == {
        frames.HEADER_TABLE_SIZE: 0,
        frames.ENABLE_PUSH: 0,
        frames.INITIAL_WINDOW_SIZE: STREAM_WINDOW_BYTES,
    }
    assert frames.read_number(window.payload) + frames.WINDOW_BYTES_DEFAULT == frames.NUMBER_MAX


def test_a_call_is_two_frames_and_its_answer_two_events():
    play = Play()
    stream = play.asked(b"hello")
    assert play.sent() == [
        Frame(frames.HEADERS, frames.END_HEADERS, 1, REQUEST),
        Frame(frames.DATA, frames.END_STREAM, 1, prefixed(b"hello")),
    ]
    assert play.told(answered(1)) == [Received(stream, b"hi"), Ended(stream, Status.OK, "", unseen=False)]
    assert play.connection.is_idle
    assert play.sent() == []


def test_calls_are_numbered_oddly():
    play = Play()
    assert [play.asked().id for _ in range(3)] == [1, 3, 5]


@pytest.mark.parametrize(
    ("answer", "status", "details"),
    [
        (trailers(1, 14, "etcdserver: leader changed"), Status.UNAVAILABLE, "etcdserver: leader changed"),
        (headers(1, ANSWER_HEADERS) + trailers(1, 11, "a%20b"), Status.OUT_OF_RANGE, "a b"),
        (headers(1, block(status="502")), Status.UNAVAILABLE, "an answer that is not gRPC's: HTTP status 502"),
        (
            headers(1, block(status="404"), frames.END_STREAM),
            Status.UNKNOWN,
            "an answer that is not gRPC's: HTTP status 404",
        ),
        (headers(1, ANSWER_HEADERS) + data(1, b"\x01\0\0\0\0"), Status.INTERNAL, "a compressed message"),
        (
            headers(1, ANSWER_HEADERS) + data(1, b"\0\0\0\0\x09ab") + trailers(1),
            Status.INTERNAL,
            "an end inside of a message",
        ),
        (headers(1, ANSWER_HEADERS) + data(1, b"", frames.END_STREAM), Status.INTERNAL, "an end without a status"),
        (frames.number(frames.RST_STREAM, 1, frames.CANCEL), Status.CANCELLED, "the server has reset the stream: 8"),
    ],
)
def test_a_call_that_fails_says_how(answer, status, details):
    play = Play()
    stream = play.asked()
    assert play.told(answer) == [Ended(stream, status, details, unseen=False)]
    assert play.connection.is_idle
    assert not play.connection.why_lost


def test_a_refused_call_was_not_seen():
    play = Play()
    stream = play.asked()
    [ended] = play.told(frames.number(frames.RST_STREAM, stream.id, frames.REFUSED_STREAM))
    assert ended.unseen


def test_headers_may_come_in_parts():
    play = Play()
    stream = play.asked()
    parts = [TRAILERS[:5], TRAILERS[5:9], TRAILERS[9:]]
    assert play.told(
        headers(1, ANSWER_HEADERS),
        frames.frame(frames.HEADERS, frames.END_STREAM, 1, parts[0]),
        frames.frame(frames.CONTINUATION, 0, 1, parts[1]),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, parts[2]),
    ) == [Ended(stream, Status.OK, "", unseen=False)]


@pytest.mark.parametrize(
    "wrong",
    [
        frames.head(frames.DATA, 0, 1, frames.FRAME_BYTES_MAX + 1),
        frames.frame(frames.HEADERS, 0, 1, b"") + frames.frame(frames.PING, 0, 0, b"12345678"),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, b""),
        frames.frame(frames.PUSH_PROMISE, frames.END_HEADERS, 1, b"\0\0\0\x02"),
        headers(1, b"\xff\xff\xff\xff"),
        headers(1, b"\xbe"),  # what stands first in a table that is not there
        data(9, b""),
        data(2, b""),
        data(0, b""),
        frames.number(frames.WINDOW_UPDATE, 0, 0),
        frames.number(frames.WINDOW_UPDATE, 0, frames.NUMBER_MAX),
        frames.frame(frames.SETTINGS, 0, 0, b"12345"),
        frames.frame(frames.HEADERS, 0, 1, b"") + frames.frame(frames.CONTINUATION, 0, 1, b"x" * 16_000) * 5,
    ],
)
def test_a_server_that_breaks_the_rules_is_left(wrong):
    play = Play()
    stream = play.asked()
    play.sent()
    [ended] = play.told(wrong)
    assert (ended.stream, ended.status, ended.unseen) == (stream, Status.UNAVAILABLE, False)
    assert "protocol error" in play.connection.why_lost
    assert [frame.kind for frame in play.sent()] == [frames.GOAWAY]


def test_what_comes_after_a_cancellation_is_passed_over():
    play = Play()
    stream = play.asked()
    play.sent()
    play.connection.cancel(stream)
    assert play.sent() == [Frame(frames.RST_STREAM, 0, 1, frames.CANCEL.to_bytes(4, "big"))]
    assert play.connection.is_idle
    assert play.told(answered(1), frames.number(frames.RST_STREAM, 1, 0)) == []
    assert not play.connection.why_lost


def test_pings_are_answered():
    play = Play()
    assert play.told(frames.frame(frames.PING, 0, 0, b"12345678")) == []
    assert play.sent() == [Frame(frames.PING, frames.ACK, 0, b"12345678")]


def test_a_message_goes_out_as_the_windows_allow_and_the_next_one_after_it():
    play = Play(initial_window_size=20_000)
    first, second = play.asked(b"x" * 49_995), play.asked(b"y" * 29_995)
    assert sizes(play.sent()) == [(1, 16_384, False), (1, 3_616, False), (3, 16_384, False), (3, 3_616, False)]
    play.told(frames.number(frames.WINDOW_UPDATE, first.id, 40_000))
    assert sizes(play.sent()) == [(1, 16_384, False), (1, 9_151, False)]  # the connection's 65,535 are used up
    play.told(frames.number(frames.WINDOW_UPDATE, second.id, 40_000))
    assert sizes(play.sent()) == []
    play.told(frames.number(frames.WINDOW_UPDATE, 0, 100_000))
    assert sizes(play.sent()) == [(1, 4_465, True), (3, 10_000, True)]


def test_messages_wait_in_order_for_the_window_of_the_connection():
    play = Play()
    play.asked(b"x" * 70_000)
    play.sent()
    play.asked(b"small")
    assert sizes(play.sent()) == []
    play.told(frames.number(frames.WINDOW_UPDATE, 1, 70_000), frames.number(frames.WINDOW_UPDATE, 0, 70_000))
    assert sizes(play.sent()) == [(1, 4_470, True), (3, 10, True)]


def test_a_message_that_waits_for_its_stream_does_not_hold_up_the_others():
    play = Play(initial_window_size=20_000)
    play.asked(b"x" * 30_000)
    play.sent()
    play.asked(b"small")
    assert sizes(play.sent()) == [(3, 10, True)]


def test_a_window_that_shrinks_below_nothing_has_to_grow_again():
    play = Play(initial_window_size=20_000)
    play.asked(b"x" * 29_995)
    play.sent()
    play.told(frames.settings({frames.INITIAL_WINDOW_SIZE: 5_000}))
    play.told(frames.number(frames.WINDOW_UPDATE, 1, 15_000))
    assert sizes(play.sent()) == []
    play.told(frames.number(frames.WINDOW_UPDATE, 1, 10_000))
    assert sizes(play.sent()) == [(1, 10_000, True)]


def test_no_more_streams_than_the_server_takes():
    play = Play(max_concurrent_streams=2)
    streams = [play.asked() for _ in range(4)]
    assert [stream.id for stream in streams] == [1, 3, 0, 0]
    play.sent()
    play.told(answered(3))
    assert [stream.id for stream in streams] == [1, 3, 5, 0]
    assert [frame.kind for frame in play.sent()] == [frames.HEADERS, frames.DATA]
    play.connection.cancel(streams[3])
    play.told(answered(1), answered(5))
    assert play.connection.is_idle


def test_a_server_that_goes_away_ends_what_it_has_begun():
    play = Play(max_concurrent_streams=2)
    begun, unseen, waiting = play.asked(), play.asked(), play.asked()
    away = frames.frame(frames.GOAWAY, 0, 0, begun.id.to_bytes(4, "big") + bytes(4) + b"enough")
    assert play.told(away) == [
        Ended(stream, Status.UNAVAILABLE, "the server goes away: enough", unseen=True) for stream in (unseen, waiting)
    ]
    assert play.connection.is_closing and not play.connection.is_idle
    assert play.told(answered(begun.id))[1] == Ended(begun, Status.OK, "", unseen=False)
    assert play.connection.is_idle


def test_a_lost_connection_ends_everything_once():
    play = Play(max_concurrent_streams=1)
    begun, waiting = play.asked(), play.asked()
    assert play.connection.lose("pulled") == [
        Ended(begun, Status.UNAVAILABLE, "pulled", unseen=False),
        Ended(waiting, Status.UNAVAILABLE, "pulled", unseen=True),
    ]
    assert play.connection.lose("again") == []
    assert play.connection.why_lost == "pulled"


def test_a_call_ends_at_its_deadline_and_the_server_is_told():
    play = Play(max_concurrent_streams=1)
    late, later, waiting = play.asked(deadline=4.0), play.asked(deadline=9.0), play.asked(deadline=4.0)
    play.sent()
    assert play.connection.tick(3.9) == []
    assert play.connection.tick(4.0) == [
        Ended(late, Status.DEADLINE_EXCEEDED, "no answer in time", unseen=False),
        Ended(waiting, Status.DEADLINE_EXCEEDED, "no answer in time", unseen=True),
    ]
    assert [(frame.kind, frame.stream) for frame in play.sent()][:1] == [(frames.RST_STREAM, 1)]
    assert later.id == 3


def test_a_silent_server_is_asked_and_then_left():
    play = Play()
    stream = play.asked()
    play.sent()
    play.told(frames.number(frames.WINDOW_UPDATE, 0, 1), now=1.0)
    assert play.connection.tick(1.0 + KEEPALIVE_SECONDS) == [] == play.sent()
    asked_at = 1.1 + KEEPALIVE_SECONDS
    assert play.connection.tick(asked_at) == []
    [ping] = play.sent()
    assert play.connection.tick(asked_at + 1) == [] == play.sent()
    assert play.told(frames.frame(frames.PING, frames.ACK, 0, ping.payload), now=asked_at + 2) == []
    assert play.connection.tick(asked_at + 2.1 + KEEPALIVE_SECONDS) == []
    assert [frame.kind for frame in play.sent()] == [frames.PING]
    over = asked_at + 2.2 + KEEPALIVE_SECONDS + KEEPALIVE_PATIENCE_SECONDS
    assert play.connection.tick(over) == [Ended(stream, Status.UNAVAILABLE, "the server is silent", unseen=False)]


def test_nobody_is_asked_while_nothing_is_under_way():
    play = Play()
    assert play.connection.tick(1000.0) == [] == play.sent()


def full(stream: int, count: int, size: int = 16_000) -> bytes:
    """Messages in frames of their own."""
    return b"".join(data(stream, prefixed(b"x" * (size - 5))) for _ in range(count))


def test_the_server_may_send_a_call_more_when_half_of_the_window_is_used():
    play = Play()
    stream = play.asked()
    play.sent()
    count = STREAM_WINDOW_BYTES // 2 // 16_000
    play.told(headers(1, ANSWER_HEADERS), full(1, count))
    assert play.sent() == []
    play.told(full(1, 1))
    [more] = play.sent()
    assert (more.kind, more.stream) == (frames.WINDOW_UPDATE, stream.id)
    assert frames.read_number(more.payload) == (count + 1) * 16_000


def test_a_slow_reader_holds_its_stream_back_until_it_has_taken_what_came():
    play = Play()
    stream = play.connection.open(REQUEST)
    play.connection.send(stream, b"watch", last=False)
    play.sent()
    play.told(headers(1, ANSWER_HEADERS), full(1, STREAM_WINDOW_BYTES * 3 // 4 // 16_000))
    assert play.sent() == []
    play.connection.taken(stream)
    assert [frame.kind for frame in play.sent()] == [frames.WINDOW_UPDATE]


def test_a_server_that_sends_more_than_it_may_loses_the_stream():
    play = Play()
    stream = play.connection.open(REQUEST)
    play.connection.send(stream, b"watch", last=False)
    play.sent()
    events = play.told(headers(1, ANSWER_HEADERS), full(1, STREAM_WINDOW_BYTES // 16_000 + 1))
    assert events[-1] == Ended(stream, Status.INTERNAL, "more data than the window allows", unseen=False)
    assert [frame.kind for frame in play.sent()] == [frames.RST_STREAM]


def test_an_end_that_comes_before_ours_is_answered_with_a_reset():
    play = Play()
    stream = play.connection.open(REQUEST)
    play.connection.send(stream, b"watch", last=False)
    play.sent()
    assert play.told(trailers(1, 14, "no leader")) == [Ended(stream, Status.UNAVAILABLE, "no leader", unseen=False)]
    assert [frame.kind for frame in play.sent()] == [frames.RST_STREAM]


def test_a_connection_whose_numbers_run_out_takes_no_more_calls():
    play = Play()
    play.connection._next_id = frames.NUMBER_MAX - 2**20
    assert not play.connection.is_closing
    play.asked()
    assert play.connection.is_closing
    assert not play.connection.why_lost


class Oracle:
    """A gRPC server of h2: it answers a message with the same message, `times` times."""

    def __init__(self, times: int, window: int, streams: int) -> None:
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        code = h2.settings.SettingCodes
        self._h2.local_settings = h2.settings.Settings(
            client=False, initial_values={code.INITIAL_WINDOW_SIZE: window, code.MAX_CONCURRENT_STREAMS: streams}
        )
        self._h2.initiate_connection()
        self._times = times
        self._bodies: dict[int, bytes] = {}
        self._left: dict[int, bytes] = {}

    def receive(self, wire: bytes) -> None:
        for event in self._h2.receive_data(wire):
            if isinstance(event, h2.events.RequestReceived):
                self._bodies[event.stream_id] = b""
            elif isinstance(event, h2.events.DataReceived):
                self._bodies[event.stream_id] += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self._h2.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/grpc")])
                self._left[event.stream_id] = self._bodies.pop(event.stream_id) * self._times

    def send(self) -> bytes:
        for stream in list(self._left):
            left = self._left[stream]
            while left and (room := min(self._h2.local_flow_control_window(stream), 16_384)):
                padding = 7 if room > 16 else None  # with its length it takes 8 bytes of the window
                part = left[: room - 8 if padding else room]
                self._h2.send_data(stream, part, pad_length=padding)
                left = left[len(part) :]
            self._left[stream] = left
            if not left:
                self._h2.send_headers(stream, [("grpc-status", "0"), ("grpc-message", "")], end_stream=True)
                del self._left[stream]
        return self._h2.data_to_send()


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 100_000), min_size=1, max_size=6),
    st.integers(1, 3),
    st.sampled_from([1, 700, 65_535, 1 << 20]),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_with_h2_at_the_other_end_every_call_has_its_answer(lengths, times, window, streams, random):
    """Whatever the windows, the number of streams and the places where reads are cut."""
    lengths = [min(length, window * 20) for length in lengths]
    connection, oracle = Connection(), Oracle(times, window, streams)
    assert connection.receive(oracle.send(), 0.0) == []  # as whoever drives it waits for the server's first words
    asked = {}
    for number, length in enumerate(lengths):
        stream = connection.open(REQUEST)
        message = bytes([number]) * length
        connection.send(stream, message, last=True)
        asked[stream] = message
    got: dict[Stream, list[bytes]] = {stream: [] for stream in asked}
    ended = []
    rounds = 0
    while len(ended) < len(asked):
        rounds += 1
        assert rounds < 1_000, "nothing moves any more"
        oracle.receive(connection.outgoing())
        wire = oracle.send()
        while wire:
            size = random.randint(1, len(wire))
            for event in connection.receive(wire[:size], 0.0):
                if isinstance(event, Received):
                    got[event.stream].append(event.message)
                else:
                    ended.append((event.stream, event.status))
            wire = wire[size:]
    assert got == {stream: [message] * times for stream, message in asked.items()}
    assert sorted(status for _, status in ended) == [Status.OK] * len(asked)
    assert {stream for stream, _ in ended} == set(asked)
    assert connection.is_idle and not connection.why_lost
