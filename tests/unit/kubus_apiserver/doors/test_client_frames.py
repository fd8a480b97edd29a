"""Frames of clients are masked, however the bytes come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubus_apiserver.doors.client_frames import ClientFrames

PAYLOADS = st.one_of(st.binary(max_size=20), st.integers(126, 130).map(lambda n: b"x" * n), st.just(b"y" * 70_000))


def frame(payload: bytes, *, masked: bool = True) -> bytes:
    """A binary frame."""
    bit = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        length = bytes([bit | size])
    elif size < 65536:
        length = bytes([bit | 126]) + size.to_bytes(2)
    else:
        length = bytes([bit | 127]) + size.to_bytes(8)
    return b"\x82" + length + (b"\0\0\0\0" if masked else b"") + payload


def fed(data: bytes, cuts: list[int]) -> bytes:
    """What the reader gets of bytes that come in pieces."""
    frames, out, begin = ClientFrames(), b"", 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        out += frames.check(data[begin:cut])
        begin = cut
    return out


@given(st.lists(PAYLOADS, max_size=4), st.lists(st.integers(0, 10**6), max_size=6))
def test_masked_frames_pass_unchanged(payloads: list[bytes], cuts: list[int]) -> None:
    data = b"".join(map(frame, payloads))
    assert fed(data, cuts) == data


@given(st.lists(PAYLOADS, max_size=3), PAYLOADS, st.lists(st.integers(0, 10**6), max_size=6))
def test_the_first_other_frame_becomes_one_that_is_refused(payloads: list[bytes], bare: bytes, cuts: list[int]) -> None:
    before = b"".join(map(frame, payloads))
    out = fed(before + frame(bare, masked=False) + frame(b"later"), cuts)
    assert out[: len(before)] == before
    assert out[len(before)] & 0x70, "reserved bits are set"
