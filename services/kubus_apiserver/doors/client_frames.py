"""Frames of a WebSocket as a client may send them: all of them masked.

RFC 6455, 5.1: a server closes the connection on a frame that is not masked, with 1002. The library below reads either,
so the heads of frames are looked at before it gets them. Pure.
"""

from __future__ import annotations

_BROKEN = b"\xf0\x80\0\0\0\0"
"""A frame with reserved bits set: to the reader it is the protocol error that an unmasked one is not."""
_LENGTH_BYTES = {126: 2, 127: 8}
_MASK_BYTES = 4


class ClientFrames:
    """Follows the frames of one client."""

    def __init__(self) -> None:
        self._begun = b""
        """The head of a frame, as far as it has come; its first byte alone is kept back from the reader."""
        self._payload_left = 0
        self._is_broken = False

    def check(self, data: bytes) -> bytes:
        """The bytes for the reader: those of masked frames; in place of the first other one what it refuses."""
        if self._is_broken:
            return b""
        if len(self._begun) == 1:
            data, self._begun = self._begun + data, b""
        position = 0
        while position < len(data):
            if self._payload_left:
                step = min(self._payload_left, len(data) - position)
                self._payload_left -= step
                position += step
                continue
            self._begun += data[position : position + 1]
            position += 1
            if len(self._begun) == 2 and not self._begun[1] & 0x80:
                self._is_broken = True
                return data[: position - 2] + _BROKEN
            if len(self._begun) >= 2 and len(self._begun) == _head_bytes(self._begun):
                self._payload_left, self._begun = _payload_bytes(self._begun), b""
        return data[:-1] if len(self._begun) == 1 else data


def _head_bytes(head: bytes) -> int:
    return 2 + _LENGTH_BYTES.get(head[1] & 0x7F, 0) + _MASK_BYTES


def _payload_bytes(head: bytes) -> int:
    short = head[1] & 0x7F
    extra = _LENGTH_BYTES.get(short, 0)
    return int.from_bytes(head[2 : 2 + extra]) if extra else short
