"""MessagePack and JSON, and the raw bytes between them.

The only module that imports msgspec and orjson. Inside kubus everything is ordinary MessagePack
(store records, events, bus requests); JSON exists only at the HTTP door and on terminals. `Raw`
is what makes "encode once" true: an object that nobody needs to look into stays the bytes it came as.

Malformed input raises `DecodeError`, never anything else, whatever the bytes are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import orjson

Raw = msgspec.Raw
"""Encoded MessagePack that is embedded or handed on untouched; `bytes(raw)` are its bytes."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


class DecodeError(ValueError):
    """The bytes are not what their content type says."""


def pack(value: Any) -> bytes:
    """The MessagePack of a value of dicts, lists, strings, numbers, booleans, None, bytes and `Raw`."""
    return _encoder.encode(value)


def unpack(data: bytes | memoryview | Raw) -> Any:
    """The value that MessagePack bytes stand for.

    Raises:
        DecodeError: the bytes are not one MessagePack value.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(str(error)) from None


def typed_decoder(expected: Any) -> Callable[[bytes | memoryview | Raw], Any]:
    """A decoder that holds what it reads against a type (TypedDicts, lists, unions, `text_matching`, `integer_of`).

    Checking costs nothing beyond decoding. Fields that a TypedDict does not name are left out. The decoder raises
    DecodeError, with the path, for any other value.
    """
    decode = msgspec.msgpack.Decoder(expected).decode

    def decode_checked(data: bytes | memoryview | Raw) -> Any:
        try:
            return decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise DecodeError(str(error)) from None

    return decode_checked


def text_matching(pattern: str) -> Any:
    """The type of a string that a regular expression finds something in."""
    return Annotated[str, msgspec.Meta(pattern=pattern)]


def integer_of(bits: int) -> Any:
    """The type of a signed integer of so many bits."""
    return Annotated[int, msgspec.Meta(ge=-(2 ** (bits - 1)), le=2 ** (bits - 1) - 1)]


def raw_array_decoder(*, items: type[tuple[Any, ...]]) -> msgspec.msgpack.Decoder[Any]:
    """A decoder of fixed arrays, in which `Raw` items stay encoded."""
    return msgspec.msgpack.Decoder(items)


def to_json(value: Any) -> bytes:
    """Compact JSON."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def to_json_pretty(value: Any) -> bytes:
    """JSON with two spaces of indentation and a final newline."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def from_json(data: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        DecodeError: with the position, in the words of the parser.
    """
    try:
        return orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise DecodeError(str(error)) from None
