"""Header blocks without a table, against the hpack package."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.store.wire.frames import ProtocolError
from kubus.store.wire.headers import details, read_block, request_block
from kubus.testing.rpc_server import block

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=300)


@settings(max_examples=50)
@given(st.sampled_from(["http", "https"]), TEXT, TEXT, TEXT)
def test_a_request_reads_as_grpc_wants_it(scheme, authority, path, value):
    data = request_block(scheme, authority, path, (("hasleader", value),))
    assert Decoder().decode(data) == [
        (":method", "POST"),
        (":scheme", scheme),
        (":path", path),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("hasleader", value),
    ]


def test_answers_are_read_compressed_and_plain():
    encoder = Encoder()
    encoder.header_table_size = 0
    fields = {":status": "200", "content-type": "application/grpc", "grpc-status": "0"}
    assert read_block(encoder.encode(fields.items(), huffman=True)) == fields
    assert read_block(block(status="200", content_type="application/grpc", grpc_status="0")) == fields


def test_a_block_that_relies_on_a_table_is_an_error():
    encoder = Encoder()
    first = encoder.encode([("grpc-status", "0")])
    assert read_block(first) == {"grpc-status": "0"}
    with pytest.raises(ProtocolError):
        read_block(encoder.encode([("grpc-status", "0")]))


@pytest.mark.parametrize("data", [b"\x00", b"\xff\xff\xff", b"\x00\x05ab"])
def test_what_is_no_block_is_an_error(data):
    with pytest.raises(ProtocolError):
        read_block(data)


def test_the_message_of_a_status_is_percent_encoded():
    assert details({"grpc-message": "100%25 f%C3%BCll"}) == "100% füll"
    assert details({}) == ""
