"""HTTP/2 frames (RFC 9113, sections 4 and 6): bytes in, frames out, and back.

Reads bring frames cut at any place, and many at once. `FrameReader` keeps the part of one that is still to come and
gives all that are whole, in one pass. Frames are not longer than every endpoint has to accept, 16 KiB: we never allow
more.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

DATA = 0
HEADERS = 1
PRIORITY = 2
RST_STREAM = 3
SETTINGS = 4
PUSH_PROMISE = 5
PING = 6
GOAWAY = 7
WINDOW_UPDATE = 8
CONTINUATION = 9

ACK = 0x1
END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITIZED = 0x20

NO_ERROR = 0x0
PROTOCOL_ERROR = 0x1
FLOW_CONTROL_ERROR = 0x3
FRAME_SIZE_ERROR = 0x6
REFUSED_STREAM = 0x7
CANCEL = 0x8
COMPRESSION_ERROR = 0x9
ENHANCE_YOUR_CALM = 0xB
INADEQUATE_SECURITY = 0xC

HEADER_TABLE_SIZE = 1
ENABLE_PUSH = 2
MAX_CONCURRENT_STREAMS = 3
INITIAL_WINDOW_SIZE = 4
MAX_FRAME_SIZE = 5

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_BYTES_MAX = 16_384
WINDOW_BYTES_DEFAULT = 65_535
NUMBER_MAX = 2**31 - 1
"""Of streams and of windows."""

_HEAD = struct.Struct(">IBI")  # length (3 bytes) and type, flags, stream
_HEAD_BYTES = 9
_SETTING = struct.Struct(">HI")
_pack = _HEAD.pack
_unpack = _HEAD.unpack_from


class ProtocolError(Exception):
    """The peer does not speak HTTP/2 as it should: the connection is over."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Frame(NamedTuple):
    """A frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes


class FrameReader:
    """Frames out of bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete.

        Raises:
            ProtocolError: one is longer than allowed.
        """
        if self._rest:
            data = self._rest + data
        frames = []
        at, end = 0, len(data)
        while end - at >= _HEAD_BYTES:
            length, flags, stream = _unpack(data, at)
            kind = length & 0xFF
            length >>= 8
            if length > FRAME_BYTES_MAX:
                raise ProtocolError(FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            following = at + _HEAD_BYTES + length
            if following > end:
                break
            frames.append(Frame(kind, flags, stream & NUMBER_MAX, data[at + _HEAD_BYTES : following]))
            at = following
        self._rest = data[at:]
        return frames


def head(kind: int, flags: int, stream: int, length: int) -> bytes:
    """What stands before a payload of a length."""
    return _pack(length << 8 | kind, flags, stream)


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame on the wire."""
    return _pack(len(payload) << 8 | kind, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*each) for each in values.items()))


def number(kind: int, stream: int, value: int) -> bytes:
    """A frame that carries one number: WINDOW_UPDATE an increment, RST_STREAM a code."""
    return frame(kind, 0, stream, value.to_bytes(4, "big"))


def goaway(code: int, text: str) -> bytes:
    """A GOAWAY frame of a client, to whom no streams are opened."""
    return frame(GOAWAY, 0, 0, bytes(4) + code.to_bytes(4, "big") + text.encode())


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """Settings and values of a SETTINGS frame, in order.

    Raises:
        ProtocolError: it is cut.
    """
    if len(payload) % _SETTING.size:
        raise ProtocolError(FRAME_SIZE_ERROR, f"settings of {len(payload)} bytes")
    return list(_SETTING.iter_unpack(payload))


def read_number(payload: bytes) -> int:
    """The number of a WINDOW_UPDATE or RST_STREAM frame.

    Raises:
        ProtocolError: its length is wrong.
    """
    if len(payload) != 4:
        raise ProtocolError(FRAME_SIZE_ERROR, f"a number of {len(payload)} bytes")
    return int.from_bytes(payload, "big")


def content(of: Frame) -> bytes:
    """The payload of a DATA or HEADERS frame without padding and priority.

    Raises:
        ProtocolError: there is more padding than payload.
    """
    if not of.flags & (PADDED | PRIORITIZED):
        return of.payload
    start, end = 0, len(of.payload)
    if of.flags & PADDED:
        start, end = 1, end - (of.payload[0] if of.payload else 0)
    if of.kind == HEADERS and of.flags & PRIORITIZED:
        start += 5
    if start > end:
        raise ProtocolError(PROTOCOL_ERROR, "more padding than payload")
    return of.payload[start:end]
