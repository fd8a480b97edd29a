"""The client's side of SPDY/3.1, for tests."""

from __future__ import annotations

import struct
import zlib

from kubus_apiserver.forwarding.spdy_words import DICTIONARY


class Client:
    """Writes a client's frames and reads a server's."""

    def __init__(self) -> None:
        self._compress = zlib.compressobj(zdict=DICTIONARY)
        self._decompress = zlib.decompressobj(zdict=DICTIONARY)

    def opened(self, stream: int, headers: dict[str, str], *, fin: bool = False) -> bytes:
        """SYN_STREAM."""
        pairs = b"".join(_text(name) + _text(value) for name, value in headers.items())
        block = struct.pack(">I", len(headers)) + pairs
        packed = self._compress.compress(block) + self._compress.flush(zlib.Z_SYNC_FLUSH)
        return control(1, struct.pack(">IIH", stream, 0, 0) + packed, fin)

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """A data frame."""
        return struct.pack(">II", stream, fin << 24 | len(data)) + data

    def read(self, data: bytes) -> list[tuple[str, int, bytes]]:
        """(what, stream, rest) of a server's frames."""
        found = []
        while data:
            first, second = struct.unpack_from(">II", data)
            length, fin = second & 0xFFFFFF, second >> 24 & 1
            body, data = data[8 : 8 + length], data[8 + length :]
            if not first >> 31:
                found.append(("end" if fin and not body else "data", first, body))
            elif first & 0xFFFF == 2:
                assert self._decompress.decompress(body[4:]) == b"\0\0\0\0", "a reply without headers"
                found.append(("reply", struct.unpack(">I", body[:4])[0], b""))
            else:
                found.append((f"control {first & 0xFFFF}", struct.unpack(">I", body[:4])[0], body[4:]))
        return found


def control(kind: int, body: bytes, fin: bool = False) -> bytes:
    """A control frame."""
    return struct.pack(">II", 0x80030000 | kind, fin << 24 | len(body)) + body


def _text(text: str) -> bytes:
    return struct.pack(">I", len(text.encode())) + text.encode()
