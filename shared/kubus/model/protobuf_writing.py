"""Objects as Kubernetes' protobuf: the way back from `kubus.model.protobuf`.

A client that insists on `application/vnd.kubernetes.protobuf` gets it; nearly all take JSON as well and get that,
because an object's JSON is there already. What is written is what Go's types would read from the object's JSON: zero
values that say nothing may be missing, which protobuf allows. Custom resources have no messages, and so have no
protobuf form, as in Kubernetes.

`decode(encode(x)) == x` for every object that fits its schema; a property test holds it to that.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterable
from typing import Any

from kubus.model.codec import to_json
from kubus.model.objects import Object
from kubus.model.protobuf_fields import BYTES, FIXED64, MAGIC, VARINT, Field, tables
from kubus.model.times import parse_time

_SCALAR_WIRES = {"i": VARINT, "l": VARINT, "b": VARINT, "d": FIXED64}
_SECOND_NS = 1_000_000_000


def is_known(api_version: str, kind: str) -> bool:
    """Whether a kind has a protobuf form."""
    return bool(tables().message_of(api_version, kind))


def encode(obj: Object) -> bytes:
    """The protobuf body of an object.

    Raises:
        KeyError: its kind has none.
        ValueError: a value does not fit its field.
    """
    return enveloped(obj["apiVersion"], obj["kind"], message(tables().message_of(obj["apiVersion"], obj["kind"]), obj))


def encode_list(api_version: str, kind: str, metadata: Object, items: Iterable[Object]) -> bytes:
    """The protobuf body of a list of objects of one kind; `kind` is the object's.

    Raises:
        KeyError: the kind has none.
        ValueError: a value does not fit its field.
    """
    item = tables().message_of(api_version, kind)
    head = _field(1, BYTES, message(f"{tables().meta}.ListMeta", metadata))
    body = b"".join(_field(2, BYTES, message(item, each)) for each in items)
    return enveloped(api_version, f"{kind}List", head + body)


def encode_partial(partial: Object) -> bytes:
    """The protobuf body of a PartialObjectMetadata."""
    return enveloped(partial["apiVersion"], partial["kind"], _partial(partial))


def encode_partial_list(api_version: str, metadata: Object, partials: Iterable[Object]) -> bytes:
    """The protobuf body of a PartialObjectMetadataList."""
    head = _field(1, BYTES, message(f"{tables().meta}.ListMeta", metadata))
    body = b"".join(_field(2, BYTES, _partial(each)) for each in partials)
    return enveloped(api_version, "PartialObjectMetadataList", head + body)


def _partial(partial: Object) -> bytes:
    return _field(1, BYTES, message(f"{tables().meta}.ObjectMeta", partial["metadata"]))


def enveloped(api_version: str, kind: str, raw: bytes) -> bytes:
    """A message in the envelope that names its type."""
    types = _field(1, BYTES, api_version.encode()) + _field(2, BYTES, kind.encode())
    return MAGIC + _field(1, BYTES, types) + _field(2, BYTES, raw) + _field(3, BYTES, b"") + _field(4, BYTES, b"")


def watch_event(change: str, body: bytes) -> bytes:
    """A frame of a watch: the length in four bytes, then the event with an encoded object in it."""
    event = _field(1, BYTES, change.encode()) + _field(2, BYTES, _field(1, BYTES, body))
    return struct.pack(">I", len(event)) + event


def message(name: str, obj: Object) -> bytes:
    """The message of an object, without an envelope."""
    parts: list[bytes] = []
    for number, field in tables().fields(name).items():
        if field.container == "inline":
            inner = message(field.type, obj)
            if inner:
                parts.append(_field(number, BYTES, inner))
            continue
        value = obj.get(field.name)
        if value is not None:
            parts.append(_filled(number, field, value))
    return b"".join(parts)


def _filled(number: int, field: Field, value: Any) -> bytes:
    wire = _SCALAR_WIRES.get(field.type, BYTES)
    if field.container == "list":
        return b"".join(_field(number, wire, _payload(field.type, each)) for each in value)
    if field.container == "map":
        return b"".join(_field(number, BYTES, _entry(field.type, wire, *pair)) for pair in sorted(value.items()))
    return _field(number, wire, _payload(field.type, value))


def _entry(type_: str, wire: int, key: str, value: Any) -> bytes:
    return _field(1, BYTES, key.encode()) + _field(2, wire, _payload(type_, value))


def _field(number: int, wire: int, payload: bytes) -> bytes:
    key = _varint(number << 3 | wire)
    return key + _varint(len(payload)) + payload if wire == BYTES else key + payload


def _varint(value: int) -> bytes:
    if value < 0:
        value += 1 << 64
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _payload(type_: str, value: Any) -> bytes:
    write = _WRITERS.get(type_)
    return message(type_, value) if write is None else write(value)


def _number(value: Any) -> bytes:
    return _varint(int(value))


def _double(value: Any) -> bytes:
    return struct.pack("<d", value)


def _time(text: str) -> bytes:
    moment = parse_time(text)
    nanoseconds = moment.microsecond * (_SECOND_NS // 1_000_000)
    return _field(1, VARINT, _varint(int(moment.replace(microsecond=0).timestamp()))) + _field(
        2, VARINT, _varint(nanoseconds)
    )


def _text(value: Any) -> bytes:
    return _field(1, BYTES, str(value).encode())


def _int_or_string(value: Any) -> bytes:
    if isinstance(value, str):
        return _field(1, VARINT, b"\x01") + _field(2, VARINT, b"\0") + _field(3, BYTES, value.encode())
    return _field(1, VARINT, b"\0") + _field(2, VARINT, _varint(value)) + _field(3, BYTES, b"")


def _embedded(value: Any) -> bytes:
    return _field(1, BYTES, to_json(value))


def _texts(values: Iterable[str]) -> bytes:
    return b"".join(_text(each) for each in values)


def _schema(value: Object) -> bytes:
    return message(f"{tables().versions['apiextensions.k8s.io/v1']}.JSONSchemaProps", value)


def _schema_or_bool(value: Any) -> bytes:
    if isinstance(value, bool):
        return _field(1, VARINT, _varint(value))
    return _field(1, VARINT, b"\x01") + _field(2, BYTES, _schema(value))


def _schema_or_array(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(_field(2, BYTES, _schema(each)) for each in value)
    return _field(1, BYTES, _schema(value))


def _schema_or_strings(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(_field(2, BYTES, str(each).encode()) for each in value)
    return _field(1, BYTES, _schema(value))


_WRITERS: dict[str, Callable[[Any], bytes]] = {
    "s": lambda value: str(value).encode(),
    "i": _number,
    "l": _number,
    "b": _number,
    "d": _double,
    "y": base64.b64decode,
    "@time": _time,
    "@microtime": _time,
    "@quantity": _text,
    "@intstr": _int_or_string,
    "@json": _embedded,
    "@items": _texts,
    "@orbool": _schema_or_bool,
    "@orarray": _schema_or_array,
    "@orstrings": _schema_or_strings,
}
