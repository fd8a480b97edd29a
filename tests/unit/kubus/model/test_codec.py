"""MessagePack and JSON, both ways."""

from __future__ import annotations

import json

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model import codec
from kubus.model.codec import DecodeError, Raw

texts = st.text(max_size=8)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), texts
)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3))
)


@given(values)
def test_messagepack_goes_both_ways(value: object) -> None:
    assert codec.unpack(codec.pack(value)) == value


@given(values)
def test_a_stranger_reads_and_writes_the_same_messagepack(value: object) -> None:
    assert msgpack.unpackb(codec.pack(value)) == value
    assert codec.unpack(msgpack.packb(value)) == value


@given(values)
def test_json_goes_both_ways(value: object) -> None:
    assert codec.from_json(codec.to_json(value)) == value
    assert json.loads(codec.to_json_pretty(value)) == value


@given(values)
def test_raw_bytes_are_embedded_untouched(value: object) -> None:
    inner = codec.pack(value)
    assert codec.pack([1, Raw(inner)]) == codec.pack([1, value])
    decoder = codec.raw_array_decoder(items=tuple[int, Raw])
    assert bytes(decoder.decode(codec.pack([1, value]))[1]) == inner


@given(st.binary(max_size=40))
def test_noise_raises_nothing_but_a_decode_error(data: bytes) -> None:
    for decode in (codec.unpack, codec.from_json):
        try:
            decode(data)
        except DecodeError as error:
            assert str(error)


@pytest.mark.parametrize(
    "data", [b"[" * 400_000, b'{"a":' * 100_000, b"\x91" * 400_000, b"", b"1 2", b'"\xff"', b"NaN"]
)
def test_what_is_neither_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        codec.from_json(data)
    if data[:1] in (b"\x91", b""):
        with pytest.raises(DecodeError):
            codec.unpack(data)
