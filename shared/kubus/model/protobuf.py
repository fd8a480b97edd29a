r"""Kubernetes' protobuf bodies, decoded to what the same object is in JSON.

kubectl posts some objects as `application/vnd.kubernetes.protobuf` and does not fall back on JSON. A body is `k8s\0`
and an envelope (`runtime.Unknown`) that names apiVersion and kind and holds the object's message. Which field number
means what is data (`protobuf_fields`), read when the first such body comes.

Go clients always write fields that are no pointers; of these a zero value says nothing and is left out, as the
client's JSON would leave it out. Unknown fields are passed over, as Kubernetes does. Depth is bounded, and whatever the
bytes are, nothing but `DecodeError` is raised.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from kubus.model import times
from kubus.model.codec import DecodeError, from_json
from kubus.model.limits import DEPTH_MAX
from kubus.model.objects import Object
from kubus.model.protobuf_fields import BYTES, FIXED32, FIXED64, MAGIC, VARINT, tables
from kubus.model.quantities import canonical


def decode(data: bytes) -> Object:
    """The object of a protobuf body, as its JSON would be.

    Raises:
        DecodeError: the bytes are no such body, or hold a kind that is not known.
    """
    try:
        return _envelope(data, 0)
    except (ValueError, OverflowError, OSError, IndexError, struct.error) as error:
        raise error if isinstance(error, DecodeError) else DecodeError(f"malformed protobuf: {error}") from None


def is_protobuf(data: bytes) -> bool:
    """Whether bytes begin like such a body."""
    return data.startswith(MAGIC)


def _envelope(data: bytes, depth: int) -> Object:
    if not is_protobuf(data):
        raise DecodeError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    envelope = dict(_texts(data[len(MAGIC) :]))
    raw = envelope.get(2, b"")
    if envelope.get(3):
        raise DecodeError("protobuf body with a content encoding")
    named = dict(_texts(envelope.get(1, b"")))
    api_version, kind = named.get(1, b"").decode(), named.get(2, b"").decode()
    if envelope.get(4) == b"application/json":
        return _json_object(raw)
    return {"apiVersion": api_version, "kind": kind, **_message(_message_of(api_version, kind), raw, depth)}


def _json_object(raw: bytes) -> Object:
    value = from_json(raw)
    if not isinstance(value, dict):
        raise DecodeError("not an object")
    return value


def _message_of(api_version: str, kind: str) -> str:
    name = tables().message_of(api_version, kind)
    if not name:
        raise DecodeError(f'no kind "{kind}" is registered for version "{api_version}"')
    return name


def _message(message: str, data: bytes, depth: int) -> Object:
    if depth > DEPTH_MAX:
        raise DecodeError("protobuf message nested too deeply")
    fields, result = tables().fields(message), dict[str, Any]()
    for number, wire, value in _wire_fields(data):
        field = fields.get(number)
        if field is None:
            continue
        if not field.container:
            read = _value(field.type, wire, value, depth)
            if read is not None and not (field.zero_is_unset and not read):
                result[field.name] = read
        elif field.container == "inline":
            result.update(_value(field.type, wire, value, depth))
        elif field.container == "map":
            key, read = _map_entry(field.type, wire, value, depth)
            result.setdefault(field.name, {})[key] = read
        else:
            result.setdefault(field.name, []).extend(_items(field.type, wire, value, depth))
    return result


def _value(type_: str, wire: int, value: Any, depth: int) -> Any:
    """One value; None for one that JSON has as null."""
    if reader := _SCALARS.get(type_):
        expected, read = reader
        if wire != expected:
            raise DecodeError(f"wire type {wire} where {expected} belongs")
        return read(value)
    if wire != BYTES:
        raise DecodeError(f"wire type {wire} where a message belongs")
    if special := _SPECIAL.get(type_):
        return special(value, depth + 1)
    return _message(type_, value, depth + 1)


def _items(type_: str, wire: int, value: Any, depth: int) -> list[Any]:
    """The items that one list field adds: one, or several packed scalars."""
    expected = _SCALARS[type_][0] if type_ in _SCALARS else BYTES
    if wire == BYTES and expected == VARINT:
        return _packed(type_, value)
    return [_value(type_, wire, value, depth)]


def _packed(type_: str, data: bytes) -> list[Any]:
    read, position, found = _SCALARS[type_][1], 0, list[Any]()
    while position < len(data):
        number, position = _varint(data, position)
        found.append(read(number))
    return found


def _map_entry(type_: str, wire: int, data: Any, depth: int) -> tuple[str, Any]:
    if wire != BYTES:
        raise DecodeError("wire type where a map entry belongs")
    key, value_wire, value = "", -1, None
    for number, each_wire, each in _wire_fields(data):
        if number == 1 and each_wire == BYTES:
            key = each.decode()
        elif number == 2:
            value_wire, value = each_wire, each
    if value_wire == -1:
        value_wire, value = (_SCALARS[type_][0], 0) if type_ in _SCALARS else (BYTES, b"")
        value = b"" if value_wire == BYTES else value
    return key, _value(type_, value_wire, value, depth)


def _wire_fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """(field number, wire type, value) of a message: an int of a varint, else bytes."""
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        wire = key & 7
        value: Any
        if wire == VARINT:
            value, position = _varint(data, position)
        else:
            size, position = _size(data, position, wire)
            if size > end - position:
                raise DecodeError("unexpected end of protobuf message")
            value = data[position : position + size]
            position += size
        if not key >> 3:
            raise DecodeError("protobuf field number 0")
        yield key >> 3, wire, value


def _size(data: bytes, position: int, wire: int) -> tuple[int, int]:
    if wire == BYTES:
        return _varint(data, position)
    if wire == FIXED64:
        return 8, position
    if wire == FIXED32:
        return 4, position
    raise DecodeError(f"unknown protobuf wire type {wire}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    byte = data[position]
    if byte < 0x80:
        return byte, position + 1
    value, shift = byte & 0x7F, 7
    while shift < 70:
        position += 1
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + 1
        shift += 7
    raise DecodeError("protobuf varint too long")


def _int64(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _int32(value: int) -> int:
    value &= 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value


def _double(value: bytes) -> float:
    number = float(struct.unpack("<d", value)[0])
    if not math.isfinite(number):
        raise DecodeError("a number that JSON does not have")
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


_SCALARS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "s": (BYTES, bytes.decode),
    "i": (VARINT, _int32),
    "l": (VARINT, _int64),
    "b": (VARINT, bool),
    "d": (FIXED64, _double),
    "y": (BYTES, _base64),
}


def _moment(data: bytes) -> datetime | None:
    """The moment of a Time; the zero time is an empty message and null in JSON."""
    if not data:
        return None
    values = _numbers(data)
    moment = datetime.fromtimestamp(_int64(values.get(1, 0)), tz=UTC)
    return moment.replace(microsecond=max(0, _int32(values.get(2, 0))) // 1000 % 1_000_000)


def _time(data: bytes, _depth: int) -> str | None:
    moment = _moment(data)
    return None if moment is None else times.rfc3339(moment)


def _micro_time(data: bytes, _depth: int) -> str | None:
    moment = _moment(data)
    return None if moment is None else times.rfc3339_micro(moment)


def _numbers(data: bytes) -> dict[int, int]:
    return {number: value for number, wire, value in _wire_fields(data) if wire == VARINT}


def _texts(data: bytes) -> list[tuple[int, bytes]]:
    return [(number, value) for number, wire, value in _wire_fields(data) if wire == BYTES]


def _quantity(data: bytes, _depth: int) -> str:
    text = dict(_texts(data)).get(1) or b"0"
    return canonical(text.decode())


def _int_or_string(data: bytes, _depth: int) -> int | str:
    numbers = _numbers(data)
    return dict(_texts(data)).get(3, b"").decode() if numbers.get(1) else _int32(numbers.get(2, 0))


def _embedded(data: bytes, depth: int) -> Any:
    """JSON inside a message, or once more an enveloped object."""
    raw = dict(_texts(data)).get(1) or b"null"
    return _envelope(raw, depth) if is_protobuf(raw) else from_json(raw)


def _strings(data: bytes, _depth: int) -> list[str]:
    return [value.decode() for number, value in _texts(data) if number == 1]


def _schema(data: bytes, depth: int) -> Object:
    return _message(f"{tables().versions['apiextensions.k8s.io/v1']}.JSONSchemaProps", data, depth)


def _schema_or_bool(data: bytes, depth: int) -> Any:
    schema = dict(_texts(data)).get(2)
    return bool(_numbers(data).get(1)) if schema is None else _schema(schema, depth)


def _schema_or_array(data: bytes, depth: int) -> Any:
    texts = _texts(data)
    schema = dict(texts).get(1)
    return [_schema(value, depth) for _, value in texts] if schema is None else _schema(schema, depth)


def _schema_or_strings(data: bytes, depth: int) -> Any:
    texts = _texts(data)
    schema = dict(texts).get(1)
    return [value.decode() for _, value in texts] if schema is None else _schema(schema, depth)


_SPECIAL: dict[str, Callable[[bytes, int], Any]] = {
    "@time": _time,
    "@microtime": _micro_time,
    "@quantity": _quantity,
    "@intstr": _int_or_string,
    "@json": _embedded,
    "@items": _strings,
    "@orbool": _schema_or_bool,
    "@orarray": _schema_or_array,
    "@orstrings": _schema_or_strings,
}
