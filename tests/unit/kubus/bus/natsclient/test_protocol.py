"""What a server says is cut out of any pieces; commands are what the protocol wants."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.bus import Message
from kubus.bus.natsclient.protocol import (
    Delivered,
    ProtocolError,
    Reader,
    Said,
    is_pattern,
    is_subject,
    pub,
    sub,
    unsub,
)

STREAM = (
    b'INFO {"max_payload":1048576}\r\n'
    b"PING\r\n"
    b"MSG news.a 7 5\r\nhello\r\n"
    b"MSG ask 8 _INBOX.me.1 0\r\n\r\n"
    b"HMSG _INBOX.me.2 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
    b"HMSG news.b 7 re 21 25\r\nNATS/1.0\r\nName: x\r\n\r\n\r\nMS\r\n"
    b"-ERR 'Stale Connection'\r\n"
    b"+OK\r\n"
)
MEANING = [
    Said(b"INFO", b'{"max_payload":1048576}'),
    Said(b"PING"),
    Delivered(b"7", Message("news.a", b"hello")),
    Delivered(b"8", Message("ask", b"", "_INBOX.me.1")),
    Delivered(b"1", Message("_INBOX.me.2", b""), b"503"),
    Delivered(b"7", Message("news.b", b"\r\nMS", "re")),
    Said(b"-ERR", b"'Stale Connection'"),
    Said(b"+OK"),
]


@settings(max_examples=100)
@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_what_is_said_does_not_depend_on_the_pieces_it_comes_in(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(STREAM)]
    reader = Reader()
    found = [each for start, end in pairwise(bounds) for each in reader.feed(STREAM[start:end])]
    assert found == MEANING


@pytest.mark.parametrize(
    "said",
    [
        b"MSG news 7 many\r\n",
        b"MSG 5\r\nhello\r\n",
        b"MSG a b c d 5\r\nhello\r\n",
        b"HMSG news 7 x 5\r\nhello\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_nats_is_refused(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        Reader().feed(said)


@pytest.mark.parametrize(
    ("command", "bytes_"),
    [
        (pub("news", b"hello"), b"PUB news 5\r\nhello\r\n"),
        (pub("ask", b"", "_INBOX.1"), b"PUB ask _INBOX.1 0\r\n\r\n"),
        (pub("news", b"x", headers={"Id": "7"}), b"HPUB news 19 20\r\nNATS/1.0\r\nId: 7\r\n\r\nx\r\n"),
        (sub("news.>", "", b"3"), b"SUB news.> 3\r\n"),
        (sub("ask", "servers", b"3"), b"SUB ask servers 3\r\n"),
        (unsub(b"3"), b"UNSUB 3\r\n"),
    ],
)
def test_commands(command: bytes, bytes_: bytes) -> None:
    assert command == bytes_


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPING", "a\tb", "a\0"])
def test_what_could_be_a_command_of_its_own_is_no_subject(subject: str) -> None:
    assert not is_subject(subject)
    assert not is_pattern(subject)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("a.b", True),
        ("a.*", True),
        ("*.b.>", True),
        (">", True),
        ("a..b", False),
        (".a", False),
        ("a.", False),
        ("a.>.b", False),
        ("a.b*", False),
        ("a>", False),
    ],
)
def test_patterns(pattern: str, fits: bool) -> None:
    assert is_pattern(pattern) is fits
