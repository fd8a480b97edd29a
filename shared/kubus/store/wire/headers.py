"""Header blocks (HPACK, RFC 7541) without a dynamic table.

HPACK's table makes each block depend on all before it. We ask the server for a table of no bytes (a setting of the
connection) and use none ourselves: a block then means the same wherever it stands. So a method's request is encoded
once, and the answers, which are the same few byte strings over and over, are looked up.

The only module that imports hpack.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote

from hpack import Decoder, HPACKError

from kubus.store.wire.frames import COMPRESSION_ERROR, ProtocolError

_NO_TABLE = b"\x20"
_POST = b"\x83"
_SCHEMES = {"http": b"\x86", "https": b"\x87"}
_AUTHORITY = b"\x01"
_PATH = b"\x04"
_CONTENT_TYPE = b"\x0f\x10"  # 31 in the static table
_NEW_NAME = b"\x00"
BLOCK_BYTES_MAX = 65_536


@lru_cache(maxsize=128)
def request_block(scheme: str, authority: str, path: str, metadata: tuple[tuple[str, str], ...] = ()) -> bytes:
    """The headers of a call. No deadline is among them: we keep it, and the server learns of it by a reset."""
    fields = [_NO_TABLE, _POST, _SCHEMES[scheme], _PATH, _text(path), _AUTHORITY, _text(authority)]
    fields += [_CONTENT_TYPE, _text("application/grpc"), _NEW_NAME, _text("te"), _text("trailers")]
    for name, value in metadata:
        fields += [_NEW_NAME, _text(name), _text(value)]
    return b"".join(fields)


@lru_cache(maxsize=128)
def read_block(block: bytes) -> dict[str, str]:
    """Headers by their names.

    Raises:
        ProtocolError: it is no header block, or one that relies on a dynamic table.
    """
    decoder = Decoder(max_header_list_size=BLOCK_BYTES_MAX)
    decoder.header_table_size = decoder.max_allowed_table_size = 0
    try:
        pairs = decoder.decode(block, raw=True)
    except HPACKError as error:
        raise ProtocolError(COMPRESSION_ERROR, f"headers that cannot be read: {error}") from None
    return {name.decode("latin-1"): value.decode("latin-1") for name, value, *_ in pairs}


def details(headers: dict[str, str]) -> str:
    """What `grpc-message` says; it is percent-encoded."""
    return unquote(headers.get("grpc-message", ""), errors="replace")


def _text(value: str) -> bytes:
    """A string literal, not compressed."""
    data = value.encode("latin-1")
    length = len(data)
    if length < 127:
        return bytes([length]) + data
    size = bytearray([127])
    length -= 127
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes(size) + bytes([length]) + data
