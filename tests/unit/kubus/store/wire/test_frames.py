"""Frames, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.store.wire import frames
from kubus.store.wire.frames import Frame, FrameReader, ProtocolError

FRAMES = st.builds(
    Frame,
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, frames.NUMBER_MAX),
    st.binary(max_size=300) | st.just(b"x" * frames.FRAME_BYTES_MAX),
)


@settings(max_examples=60)
@given(st.lists(FRAMES, max_size=8), st.data())
def test_frames_come_out_as_they_went_in_wherever_they_are_cut(sent, data):
    wire = b"".join(frames.frame(*each) for each in sent)
    reader, seen, at = FrameReader(), [], 0
    while at < len(wire):
        size = data.draw(st.integers(1 + len(wire) // 30, len(wire)))
        seen += reader.feed(wire[at : at + size])
        at += size
    assert seen == sent


def test_byte_by_byte_is_no_different():
    wire = frames.frame(frames.PING, frames.ACK, 0, b"12345678") + frames.number(frames.RST_STREAM, 3, 8)
    reader = FrameReader()
    seen = [frame for at in range(len(wire)) for frame in reader.feed(wire[at : at + 1])]
    assert seen == [
        Frame(frames.PING, frames.ACK, 0, b"12345678"),
        Frame(frames.RST_STREAM, 0, 3, b"\0\0\0\x08"),
    ]


def test_a_frame_that_is_too_long_is_refused_by_its_head_alone():
    with pytest.raises(ProtocolError) as refused:
        FrameReader().feed(frames.head(frames.DATA, 0, 1, frames.FRAME_BYTES_MAX + 1))
    assert refused.value.code == frames.FRAME_SIZE_ERROR


def test_the_reserved_bit_of_a_stream_is_passed_over():
    assert FrameReader().feed(frames.head(frames.DATA, 0, 5 | 1 << 31, 0)) == [Frame(frames.DATA, 0, 5, b"")]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (Frame(frames.DATA, 0, 1, b"abc"), b"abc"),
        (Frame(frames.DATA, frames.PADDED, 1, b"\x02abc\0\0"), b"abc"),
        (Frame(frames.DATA, frames.PADDED, 1, b"\x03\0\0\0"), b""),
        (Frame(frames.HEADERS, frames.PRIORITIZED, 1, b"12345abc"), b"abc"),
        (Frame(frames.HEADERS, frames.PADDED | frames.PRIORITIZED, 1, b"\x0112345abc\0"), b"abc"),
    ],
)
def test_padding_and_priority_are_no_content(frame, expected):
    assert frames.content(frame) == expected


@pytest.mark.parametrize("payload", [b"", b"\x04\0\0\0", b"\xff"])
def test_more_padding_than_payload_is_an_error(payload):
    with pytest.raises(ProtocolError):
        frames.content(Frame(frames.DATA, frames.PADDED, 1, payload))


def test_settings_are_read_as_they_were_written():
    values = {frames.INITIAL_WINDOW_SIZE: 1 << 23, frames.MAX_FRAME_SIZE: 16384}
    [frame] = FrameReader().feed(frames.settings(values))
    assert dict(frames.read_settings(frame.payload)) == values


def test_numbers_and_settings_of_a_wrong_length_are_errors():
    for read, payload in ((frames.read_settings, b"12345"), (frames.read_number, b"123")):
        with pytest.raises(ProtocolError):
            read(payload)
