"""The last touch of an answer: indented for people, compressed where it pays."""

from __future__ import annotations

import gzip

import pytest

from kubus.model.codec import to_json
from kubus_apiserver.calls import ANONYMOUS
from kubus_apiserver.doors.answers import Answer, Call
from kubus_apiserver.doors.encodings import encoded_for, takes_gzip

CALL = Call("GET", "/", {}, ANONYMOUS)
LARGE = to_json({"data": "x" * 200_000})


@pytest.mark.parametrize(
    ("header", "takes"),
    [("", False), ("gzip", True), ("deflate, gzip;q=1.0", True), ("*", True), ("gzip;q=0", False), ("br", False)],
)
def test_who_takes_gzip(header, takes):
    assert takes_gzip(header) is takes


async def test_a_large_answer_is_compressed_for_who_takes_it():
    answer = await encoded_for(Answer(200, LARGE), CALL._replace(accept_encoding="gzip"))
    assert (answer.encoding, gzip.decompress(answer.body)) == ("gzip", LARGE)
    assert (await encoded_for(Answer(200, LARGE), CALL)).body == LARGE
    assert (await encoded_for(Answer(200, b"{}"), CALL._replace(accept_encoding="gzip"))).encoding == ""


async def test_what_is_kept_compressed_is_opened_for_who_does_not_take_it():
    kept = Answer(200, gzip.compress(LARGE), encoding="gzip")
    assert await encoded_for(kept, CALL._replace(accept_encoding="gzip")) is kept
    opened = await encoded_for(kept, CALL)
    assert (opened.encoding, opened.body) == ("", LARGE)


@pytest.mark.parametrize(
    ("query", "agent", "indented"),
    [
        ({}, "kubectl/v1.32", False),
        ({"pretty": ["true"]}, "kubectl/v1.32", True),
        ({}, "curl/7.88", True),
        ({"pretty": ["false"]}, "curl/7.88", False),
    ],
)
async def test_json_is_indented_for_people(query, agent, indented):
    answer = await encoded_for(Answer(200, b'{"a":1}'), CALL._replace(query=query, user_agent=agent))
    assert answer.body == (b'{\n  "a": 1\n}\n' if indented else b'{"a":1}')
