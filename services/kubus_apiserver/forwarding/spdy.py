"""SPDY/3.1 frames: what kubectl forwards ports with, and older clients exec and attach. Pure.

A `Reader` turns bytes into frames, however they are cut; a `Writer` says what the server's side has to say. Streams
are opened by clients only. Flow control is left to the connection below, as Kubernetes' own implementation leaves it:
windows are neither counted nor updated.

https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from kubus_apiserver.forwarding.spdy_words import DICTIONARY

_FRAME_BYTES_MAX = 1024 * 1024
_HEADER_BYTES_MAX = 64 * 1024
_HEAD = struct.Struct(">II")
_CONTROL, _VERSION = 0x8000, 3
_OPEN, _REPLY, _RESET, _PING, _GOAWAY = 1, 2, 3, 6, 7
_FIN = 0x01
PROTOCOL_ERROR, REFUSED_STREAM = 1, 3


class SpdyError(Exception):
    """These bytes are no frames of SPDY/3.1."""


class Opened(NamedTuple):
    """The client has opened a stream."""

    stream: int
    headers: dict[str, str]
    fin: bool


class Data(NamedTuple):
    """Bytes on a stream, in either direction."""

    stream: int
    data: bytes
    fin: bool


class Reset(NamedTuple):
    """A stream has ended out of turn."""

    stream: int


class Pinged(NamedTuple):
    """The other side wants to know whether this one is there."""

    number: int


class GoneAway(NamedTuple):
    """The client opens no more streams."""


Frame = Opened | Data | Reset | Pinged | GoneAway


class Reader:
    """Reads a client's frames. Those that are of no use to a server of streams are passed over."""

    def __init__(self) -> None:
        self._waiting = b""
        self._headers = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that some more bytes complete.

        Raises:
            SpdyError
        """
        self._waiting += data
        while len(self._waiting) >= _HEAD.size:
            first, second = _HEAD.unpack_from(self._waiting)
            length = second & 0xFFFFFF
            if length > _FRAME_BYTES_MAX:
                raise SpdyError(f"a frame of {length} bytes")
            if len(self._waiting) < _HEAD.size + length:
                return
            body = self._waiting[_HEAD.size : _HEAD.size + length]
            self._waiting = self._waiting[_HEAD.size + length :]
            flags = second >> 24
            if not first >> 31:
                yield Data(first, body, bool(flags & _FIN))
            elif (frame := self._control(first, flags, body)) is not None:
                yield frame

    def _control(self, first: int, flags: int, body: bytes) -> Frame | None:
        if (first >> 16) != _CONTROL | _VERSION:
            raise SpdyError(f"version {(first >> 16) & 0x7FFF}")
        kind = first & 0xFFFF
        if kind == _GOAWAY:
            return GoneAway()
        if kind not in (_OPEN, _RESET, _PING):
            return None
        if len(body) < (10 if kind == _OPEN else 4):
            raise SpdyError("a frame that is too short")
        number = int.from_bytes(body[:4]) & (0xFFFFFFFF if kind == _PING else 0x7FFFFFFF)
        if kind == _PING:
            return Pinged(number)
        return Opened(number, self._read_headers(body[10:]), bool(flags & _FIN)) if kind == _OPEN else Reset(number)

    def _read_headers(self, block: bytes) -> dict[str, str]:
        try:
            data = self._headers.decompress(block, _HEADER_BYTES_MAX)
            if self._headers.unconsumed_tail:
                raise SpdyError("too many headers")
            return _headers(data)
        except (zlib.error, struct.error, UnicodeDecodeError, IndexError) as error:
            raise SpdyError(f"headers cannot be read: {error}") from None


class Writer:
    """Writes a server's frames."""

    def __init__(self) -> None:
        self._headers = zlib.compressobj(zdict=DICTIONARY)

    def reply(self, stream: int) -> bytes:
        """A stream is accepted."""
        block = self._headers.compress(struct.pack(">I", 0)) + self._headers.flush(zlib.Z_SYNC_FLUSH)
        return _control(_REPLY, struct.pack(">I", stream) + block)

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """Bytes on a stream; `fin`: the last."""
        return _HEAD.pack(stream, (_FIN * fin) << 24 | len(data)) + data

    def reset(self, stream: int, code: int) -> bytes:
        """A stream is refused or broken off."""
        return _control(_RESET, struct.pack(">II", stream, code))

    def ping(self, number: int) -> bytes:
        """The answer to a ping: the same."""
        return _control(_PING, struct.pack(">I", number))


def _control(kind: int, body: bytes) -> bytes:
    return _HEAD.pack((_CONTROL | _VERSION) << 16 | kind, len(body)) + body


def _headers(data: bytes) -> dict[str, str]:
    """The headers of a block, their names in lower case."""
    found: dict[str, str] = {}
    (count,) = struct.unpack_from(">I", data)
    place = 4
    for _ in range(count):
        name, place = _text(data, place)
        value, place = _text(data, place)
        found[name.lower()] = value.split("\0", 1)[0]
    return found


def _text(data: bytes, place: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", data, place)
    end = place + 4 + length
    if end > len(data):
        raise IndexError("a text that is too short")
    return data[place + 4 : end].decode(), end
