"""gRPC's messages (PROTOCOL-HTTP2.md): each is preceded by a flag, that it is compressed, and its length.

A stream's data is cut into frames without regard to messages: one frame may end several, and a large message comes in
hundreds of frames. The usual case, one frame with one whole message, costs one slice.
"""

from __future__ import annotations

import struct

_PREFIX = struct.Struct(">BI")
_PREFIX_BYTES = 5


class MessageError(Exception):
    """A message that cannot be read."""


class Assembler:
    """Messages out of a stream's data."""

    __slots__ = ("_part",)

    def __init__(self) -> None:
        self._part = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that this data completes.

        Raises:
            MessageError: one is compressed, which nobody asked for.
        """
        if not self._part and len(data) >= _PREFIX_BYTES:
            flag, length = _PREFIX.unpack_from(data)
            if len(data) == _PREFIX_BYTES + length and not flag:
                return [data[_PREFIX_BYTES:]]
        self._part += data
        return self._whole()

    @property
    def is_between_messages(self) -> bool:
        """Whether nothing of a message is waiting for its rest."""
        return not self._part

    def _whole(self) -> list[bytes]:
        found = []
        at, part = 0, self._part
        while len(part) - at >= _PREFIX_BYTES:
            flag, length = _PREFIX.unpack_from(part, at)
            if flag:
                raise MessageError("a compressed message")
            following = at + _PREFIX_BYTES + length
            if following > len(part):
                break
            with memoryview(part) as view:
                found.append(bytes(view[at + _PREFIX_BYTES : following]))
            at = following
        del part[:at]
        return found


def prefixed(message: bytes) -> bytes:
    """A message as it goes into a stream's data."""
    return _PREFIX.pack(0, len(message)) + message
