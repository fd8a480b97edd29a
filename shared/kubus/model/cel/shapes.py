"""Shapes: what is known of a value before there is one, for CEL's type checker and for estimates of cost.

To the library an object of JSON is a map, where any field may be asked for. A schema knows better: so it becomes a
`Shape`, the shape becomes protobuf messages, and the library's own checker says `undefined field 'max'` and `found no
matching overload for '_>_' applied to '(int, string)'`, as Kubernetes' does. Nothing is ever evaluated with these
messages; they are only there while an expression is checked.

https://kubernetes.io/docs/reference/using-api/cel/#type-checking
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_WELL_KNOWN = {"dyn": "Value", "timestamp": "Timestamp", "duration": "Duration"}
_WRAPPERS = {
    "bool": "BoolValue",
    "int": "Int64Value",
    "double": "DoubleValue",
    "string": "StringValue",
    "bytes": "BytesValue",
}
_PACKAGE = "kubus"
_FIELDS_MAX = 4_000
"""An object with more is anything: protobuf has messages of 64 KiB."""


class Shape(NamedTuple):
    """The shape of a value."""

    kind: str
    """dyn, bool, int, double, string, bytes, timestamp, duration, object, list or map."""
    fields: Callable[[], Mapping[str, Shape]] | None = None
    """Of an object, as expressions name them; asked for when needed, as shapes may hold themselves."""
    name: str = ""
    """Of an object: the same name is the same shape."""
    items: Shape | None = None
    """Of a list or map."""
    most: int | None = None
    """How long a text, how many items a list or map can be at most; None where nothing says so."""
    least_bytes: int = 1
    """How short its JSON can be: how many of it fit into a request."""
    nullable: bool = False


DYN = Shape("dyn")


class Checked(NamedTuple):
    """Variables of shapes, for an `Environment`: their types, and the file that these are in."""

    types: Mapping[str, str]
    files: tuple[bytes, ...]


def checked(variables: Mapping[str, Shape]) -> Checked:
    """The types of variables."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    files = ("struct", "timestamp", "duration", "wrappers")
    file = FileDescriptorProto(
        name="shapes.proto",
        package=_PACKAGE,
        syntax="proto2",
        dependency=[f"google/protobuf/{name}.proto" for name in files],
    )
    messages = _Messages(file)
    types = {name: messages.type_of(shape) for name, shape in variables.items()}
    return Checked(types, (file.SerializeToString(),))


class _Messages:
    """The messages of a file, as they are needed."""

    def __init__(self, file: Any) -> None:
        from google.protobuf.descriptor_pb2 import FieldDescriptorProto

        self._file = file
        self._field = FieldDescriptorProto
        self._known: set[str] = set()
        self._scalars = {
            "bool": FieldDescriptorProto.TYPE_BOOL,
            "int": FieldDescriptorProto.TYPE_INT64,
            "double": FieldDescriptorProto.TYPE_DOUBLE,
            "string": FieldDescriptorProto.TYPE_STRING,
            "bytes": FieldDescriptorProto.TYPE_BYTES,
        }

    def type_of(self, shape: Shape) -> str:
        """What the library calls the type of a value."""
        if _is_object(shape):
            return self._message(shape)
        if shape.kind == "list":
            return f"list<{self.type_of(shape.items or DYN)}>"
        if shape.kind == "map":
            return f"map<string, {self.type_of(shape.items or DYN)}>"
        return shape.kind if shape.kind != "object" and not shape.nullable else "dyn"

    def _message(self, shape: Shape) -> str:
        name = f"{_PACKAGE}.{shape.name}"
        if name in self._known or shape.fields is None:
            return name
        self._known.add(name)
        message = self._file.message_type.add(name=shape.name)
        # JSON is never made of it: `foo_bar` and `fooBar` are two.
        message.options.deprecated_legacy_json_field_conflicts = True
        fields = shape.fields()
        taken = set(fields)
        for number, (field, inner) in enumerate(fields.items(), 1):
            self._add(message, field, number, inner, taken)
        return name

    def _add(self, message: Any, name: str, number: int, shape: Shape, taken: set[str]) -> None:
        told, entry_name = f"f{number}", _entry_name(name)
        if shape.kind == "map" and entry_name not in taken and entry_name.isidentifier():
            taken.add(entry_name)
            entry = message.nested_type.add(name=entry_name)
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=self._field.LABEL_OPTIONAL, type=self._field.TYPE_STRING)
            self._typed(entry.field.add(name="value", number=2, label=self._field.LABEL_OPTIONAL), shape.items or DYN)
            field = message.field.add(name=name, number=number, label=self._field.LABEL_REPEATED, json_name=told)
            field.type, field.type_name = self._field.TYPE_MESSAGE, f".{_PACKAGE}.{message.name}.{entry.name}"
        elif shape.kind == "list":
            field = message.field.add(name=name, number=number, label=self._field.LABEL_REPEATED, json_name=told)
            self._typed(field, shape.items)
        else:
            field = message.field.add(name=name, number=number, label=self._field.LABEL_OPTIONAL, json_name=told)
            self._typed(field, shape)

    def _typed(self, field: Any, shape: Shape | None) -> None:
        kind = shape.kind if shape is not None and shape.kind not in ("list", "map", "object") else "dyn"
        if shape is not None and _is_object(shape):
            field.type, field.type_name = self._field.TYPE_MESSAGE, f".{self._message(shape)}"
        elif shape is not None and shape.nullable and kind in _WRAPPERS:
            field.type, field.type_name = self._field.TYPE_MESSAGE, f".google.protobuf.{_WRAPPERS[kind]}"
        elif kind in _WELL_KNOWN:
            field.type, field.type_name = self._field.TYPE_MESSAGE, f".google.protobuf.{_WELL_KNOWN[kind]}"
        else:
            field.type = self._scalars[kind]


def _is_object(shape: Shape) -> bool:
    return shape.kind == "object" and shape.fields is not None and len(shape.fields()) <= _FIELDS_MAX


def _entry_name(field: str) -> str:
    """What protobuf calls the type of a map's entries: it insists on it."""
    return "".join(f"{part[:1].upper()}{part[1:]}" for part in field.split("_")) + "Entry"
