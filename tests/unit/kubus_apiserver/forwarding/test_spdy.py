"""SPDY/3.1 frames."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.kubus_apiserver.forwarding.spdy_client import Client, control

from kubus_apiserver.forwarding.spdy import Data, GoneAway, Opened, Pinged, Reader, Reset, SpdyError, Writer
from kubus_apiserver.forwarding.spdy_words import DICTIONARY

HEADERS = {"streamtype": "data", "port": "8080", "requestid": "0"}


def test_the_dictionary_is_the_protocols() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_frames_of_a_client_are_read() -> None:
    client, reader = Client(), Reader()
    sent = (
        client.opened(1, HEADERS)
        + client.opened(3, {"StreamType": "error"}, fin=True)
        + client.data(1, b"hello")
        + control(9, struct.pack(">II", 1, 5))  # WINDOW_UPDATE
        + control(6, struct.pack(">I", 7))
        + client.data(1, b"", fin=True)
        + control(3, struct.pack(">II", 1, 5))
        + control(7, struct.pack(">II", 3, 0))
    )
    assert list(reader.feed(sent)) == [
        Opened(1, HEADERS, False),
        Opened(3, {"streamtype": "error"}, True),
        Data(1, b"hello", False),
        Pinged(7),
        Data(1, b"", True),
        Reset(1),
        GoneAway(),
    ]


def test_frames_of_a_server_are_what_a_client_reads() -> None:
    client, writer = Client(), Writer()
    sent = writer.reply(1) + writer.reply(3) + writer.data(1, b"x") + writer.data(1, b"", fin=True)
    assert client.read(sent + writer.ping(7) + writer.reset(3, 3)) == [
        ("reply", 1, b""),
        ("reply", 3, b""),
        ("data", 1, b"x"),
        ("end", 1, b""),
        ("control 6", 7, b""),
        ("control 3", 3, struct.pack(">I", 3)),
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">II", 0x80020001, 0),
        struct.pack(">II", 1, 2 * 1024 * 1024),
        control(1, b"short"),
        control(1, b"\0" * 10 + b"no zlib at all"),
        control(1, b"\0" * 10 + zlib.compress(b"x" * 100_000)),
    ],
)
def test_what_is_no_spdy_is_refused(raw: bytes) -> None:
    with pytest.raises(SpdyError):
        list(Reader().feed(raw))


def test_headers_that_would_fill_memory_are_refused() -> None:
    client = Client()
    with pytest.raises(SpdyError, match="too many headers"):
        list(Reader().feed(client.opened(1, {"a": "x" * 1_000_000})))


@given(
    st.lists(
        st.one_of(
            st.dictionaries(st.text("abc", min_size=1, max_size=5), st.text(max_size=20), max_size=4),
            st.binary(max_size=50),
        ),
        max_size=8,
    ),
    st.lists(st.integers(1, 40), max_size=40),
)
@settings(max_examples=60)
def test_frames_are_the_same_however_they_are_cut(told: list[dict[str, str] | bytes], cuts: list[int]) -> None:
    client, sent, expected = Client(), b"", []
    for number, each in enumerate(told, 1):
        if isinstance(each, bytes):
            sent += client.data(number, each)
            expected.append(Data(number, each, False))
        else:
            sent += client.opened(number, each)
            expected.append(Opened(number, {key: value.split("\0")[0] for key, value in each.items()}, False))
    reader, found = Reader(), []
    for cut in cuts:
        found += reader.feed(sent[:cut])
        sent = sent[cut:]
    assert found + list(reader.feed(sent)) == expected


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_frames_or_refused(raw: bytes) -> None:
    try:
        list(Reader().feed(raw))
    except SpdyError as error:
        assert str(error)
