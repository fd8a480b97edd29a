"""Frames and answers of a gRPC probe."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_kubelet.grpc_checks import DATA, PADDED, Frame, check, encode_frame, outcome_of, request_bytes


def test_a_header_that_needs_a_longer_length_is_refused():
    with pytest.raises(ValueError, match="too long"):
        request_bytes("a" * 127, "", "agent")


@pytest.mark.parametrize(
    ("message", "ok"),
    [(b"\x08\x01", True), (b"\x08\x00", False), (b"\x08\x02", False), (b"\x08\x03", False), (b"", False)],
)
def test_only_serving_passes(message, ok):
    assert outcome_of(b"\0" + len(message).to_bytes(4, "big") + message).ok is ok


@given(st.binary(max_size=200))
def test_no_answer_breaks_a_probe(data):
    """Whatever the other side sends, there is an outcome or one of the errors that handlers know."""

    class Sink:
        def write(self, data):
            pass

    async def ask():
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await check(reader, Sink(), b"")

    with contextlib.suppress(ValueError, asyncio.IncompleteReadError):
        asyncio.run(ask())


def test_padding_is_no_part_of_the_answer():
    async def ask():
        reader = asyncio.StreamReader()
        body = b"\0\0\0\0\x02\x08\x01"
        reader.feed_data(encode_frame(Frame(DATA, PADDED | 1, 1, bytes([3]) + body + b"\0\0\0")))
        return await check(reader, type("Sink", (), {"write": lambda *_: None})(), b"")

    assert asyncio.run(ask()).ok
