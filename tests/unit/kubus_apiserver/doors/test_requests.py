"""Which requests are read as plain, and that a complete parser reads them the same."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError
from hypothesis import example, given
from hypothesis import strategies as st

from kubus_apiserver.doors.requests import Fields, read_fields, read_head

LINE = b"GET /api/v1/pods?limit=5 HTTP/1.1\r\n"


def test_a_plain_request_is_read():
    head = read_head(LINE + b"Host: x\r\nAccept: a/b\r\n\r\nrest")
    assert head is not None
    assert (head.method, head.target, head.block) == ("GET", "/api/v1/pods?limit=5", b"Host: x\r\nAccept: a/b\r\n")
    assert head.size == len(LINE) + len(head.block) + 2
    assert read_fields(head.block) == Fields("a/b", "", "", "", "", "", "", 0)


def test_fields_are_known_by_any_spelling_of_their_names():
    block = b"hOsT: x\r\ncontent-LENGTH:  12 \r\nUSER-agent: kubectl/1 \xc3\xa9\r\n"
    block += b"Connection: Keep-Alive\r\nIf-None-Match:\r\n"
    fields = read_fields(block)
    assert fields is not None
    assert (fields.length, fields.user_agent, fields.if_none_match) == (12, "kubectl/1 é", "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        LINE,
        LINE + b"Host: x\r\n",
        b"HEAD / HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\n\r\n",
        b"GET /#part HTTP/1.1\r\n\r\n",
        b"\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\n\n",
    ],
)
def test_what_is_not_plain_or_not_whole_is_left_to_others(data: bytes):
    assert read_head(data) is None


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        b"Expect: 100-continue\r\n",
        b"Impersonate-User: jane\r\n",
        b"Content-Length: 5\r\nContent-Length: 5\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: \xd9\xa5\r\n",
        b"Content-Length: 9999999999\r\n",
        b"Accept: a/b\r\naccept: c/d\r\n",
        b"Accept: a/b\r\n c/d\r\n",
        b"Accept : a/b\r\n",
        b"Acc ept: a/b\r\n",
        b"Accept: a\x00b\r\n",
        b"Accept: a\nb\r\n",
        b"Accept: a\rb\r\n",
        b": a\r\n",
        b"Accept\r\n",
    ],
)
def test_a_head_with_anything_special_in_it_is_left_to_others(block: bytes):
    assert read_fields(block if not block else b"Host: x\r\n" + block) is None


NAMES = st.sampled_from([b"Accept", b"accept", b"Content-Length", b"X", b"Host", b"Connection", b"Expect", b"A\x00"])
VALUES = st.one_of(
    st.sampled_from([b"0", b"7", b"keep-alive", b"\xc3\xa9", b" a \t", b"a\r\n b", b"a\nb", b"", b"5, 5"]),
    st.binary(max_size=6),
)
HEADS = st.lists(st.tuples(NAMES, st.sampled_from([b":", b": ", b" :", b""]), VALUES, st.just(b"\r\n")), max_size=4)
TARGETS = st.one_of(st.sampled_from([b"/", b"/api?x=%20", b"//x", b"*"]), st.binary(max_size=4).map(b"/".__add__))


@given(TARGETS, HEADS)
@example(b"/", [(b"Content-Length", b":", b"\xd9\xa5", b"\r\n")])
def test_a_complete_parser_reads_a_plain_request_the_same(target: bytes, lines: list[tuple[bytes, ...]]):
    data = b"PUT " + target + b" HTTP/1.1\r\nHost: x\r\n" + b"".join(map(b"".join, lines)) + b"\r\n"
    head = read_head(data)
    fields = None if head is None else read_fields(head.block)
    if head is None or fields is None or head.size != len(data):
        return
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16)
        [(message, _)], _, _ = parser.feed_data(data)
    except HttpProcessingError:
        pytest.fail(f"no parser takes {data!r}")
    finally:
        loop.close()
    assert (message.method, message.path) == (head.method, head.target)
    assert message.headers.get("Accept", "") == fields.accept
    assert int(message.headers.get("Content-Length", "0")) == fields.length
    assert not (message.should_close or message.upgrade or message.chunked)
