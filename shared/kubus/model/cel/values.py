"""Values of types that JSON does not have: Kubernetes' quantities, addresses, URLs, versions, formats, and times.

The library knows no opaque types of ours, but it knows protobuf's messages. So each type is a message with one text,
the value in a canonical form: equal values are equal messages, and the type checker tells a quantity from an address. A
time inside of an object is protobuf's own, which the library takes for CEL's.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

TYPES = {
    "CIDR": "net.CIDR",
    "Format": "kubernetes.NamedFormat",
    "IP": "net.IP",
    "Quantity": "kubernetes.Quantity",
    "Semver": "kubernetes.Semver",
    "URL": "kubernetes.URL",
    **{
        name: f"kubernetes.authorization.{name}"
        for name in ("Authorizer", "Decision", "GroupCheck", "PathCheck", "ResourceCheck")
    },
}
"""Our types, and what expressions call them."""
_FIELD = "text"


def tagged(type_: str, text: str) -> Any:
    """A value of one of our types."""
    return _classes()[type_](**{_FIELD: text})


def untagged(value: Any, *types: str) -> tuple[str, str]:
    """The type and the text of a value.

    Raises:
        ValueError: it is of none of these types.
    """
    for type_ in types:
        if isinstance(value, _classes()[type_]):
            return type_, getattr(value, _FIELD)
    raise ValueError(f"no such overload: the value is no {' or '.join(types)}")


def text_of(value: Any) -> str:
    """The text of a value of one of our types."""
    text: str = getattr(value, _FIELD)
    return text


def accepts(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    """Whether a text can be parsed: the `isX` of an `x`."""

    def is_one(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return is_one


def nested(value: Any) -> Any:
    """A value as it may stand inside of an object: times as messages."""
    if isinstance(value, datetime | timedelta):
        return moment(value) if isinstance(value, datetime) else span(value)
    if isinstance(value, Mapping):
        return {key: nested(each) for key, each in value.items()}
    if isinstance(value, list):
        return [nested(each) for each in value]
    return value


def moment(value: datetime) -> Any:
    """A point in time."""
    from google.protobuf.timestamp_pb2 import Timestamp

    message = Timestamp()
    message.FromDatetime(value)
    return message


def span(value: timedelta) -> Any:
    """A length of time."""
    from google.protobuf.duration_pb2 import Duration

    message = Duration()
    message.FromTimedelta(value)
    return message


def pool(files: Sequence[bytes] = ()) -> Any:
    """A pool of our types, protobuf's own, and those of further files (`FileDescriptorProto`)."""
    from google.protobuf import descriptor_pool, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2

    made = descriptor_pool.DescriptorPool()
    for known in (struct_pb2, timestamp_pb2, duration_pb2, wrappers_pb2):
        made.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    for each in (*_own_files(), *files):
        made.AddSerializedFile(each)
    return made


@cache
def own_pool() -> Any:
    """The pool in which the values that functions make have their types."""
    return pool()


@cache
def _classes() -> dict[str, Any]:
    from google.protobuf import message_factory

    return {
        type_: message_factory.GetMessageClass(own_pool().FindMessageTypeByName(name)) for type_, name in TYPES.items()
    }


def _own_files() -> list[bytes]:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

    files: dict[str, Any] = {}
    for name in TYPES.values():
        package, _, short = name.rpartition(".")
        file = files.setdefault(package, FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3"))
        file.message_type.add(name=short).field.add(
            name=_FIELD, number=1, type=FieldDescriptorProto.TYPE_STRING, label=FieldDescriptorProto.LABEL_OPTIONAL
        )
    return [file.SerializeToString() for file in files.values()]
