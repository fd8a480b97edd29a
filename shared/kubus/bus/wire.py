"""What messages look like: events, beats, API requests and replies.

event    `[1, change, revision, previous, note, object]`
beat     `[1, revision, epoch]`  epoch names the history whose revision it is; another one: list anew
request  `[1, options]`       options is a map, see `Request`
reply    `[1, code, body]`    code is the HTTP code; body the object, listing or Status

All of it is ordinary MessagePack. An event's note and object are the store record's bytes, untouched.
`previous` is the revision of the event before this one in the same stream (a collection, or a node's slice), or,
where the relay does not know that, a later one from which on it has followed the store; 0 if it knows nothing. A
consumer of the whole stream whose last revision is lower than `previous`, or that sees 0, has to list again.

Objects in replies are pairs `[revision, object]`, so that the object's bytes are the stored ones; the client puts
the revision into `metadata.resourceVersion`. A listing is `{revision, items, continue, unreadable?}`; `unreadable` are
the pairs `[namespace, name]` of objects that are there, but that the apiserver cannot read. The event of such a state
holds nil in the place of the object.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from kubus.model import codec
from kubus.model.codec import DecodeError, Raw
from kubus.model.objects import Object
from kubus.model.records import Note

VERSION = 1
Change = Literal["added", "modified", "deleted"]


class Event(NamedTuple):
    """One change of one object. `revision` is the object's resourceVersion (of a delete: of the deletion)."""

    change: Change
    revision: int
    previous: int
    note: Note
    object: Object
    """Of a delete: the last state. {} where what is stored cannot be read."""


class RawEvent(NamedTuple):
    """An event whose note and object are still encoded."""

    change: Change
    revision: int
    previous: int
    note: Raw
    object: Raw


_raw_event = codec.raw_array_decoder(items=tuple[int, str, int, int, Raw, Raw])
_event = codec.raw_array_decoder(items=tuple[int, str, int, int, dict[str, Any], dict[str, Any] | None])
_raw_reply = codec.raw_array_decoder(items=tuple[int, int, Any])


def encode_event(
    change: Change, revision: int, previous: int, note: Raw | dict[str, Any], obj: Raw | Object | None
) -> bytes:
    """The message of an event; the object is None where what is stored cannot be read."""
    return codec.pack([VERSION, change, revision, previous, note, obj])


def decode_event(data: bytes) -> Event:
    """The event of a message.

    Raises:
        DecodeError: this is no event, or one of a later version.
    """
    change, revision, previous, note, obj = _fields(_event, data)
    return Event(change, revision, previous, Note.from_wire(note), obj or {})


def decode_event_raw(data: bytes) -> RawEvent:
    """The event of a message, without a look at its object.

    Raises:
        DecodeError: this is no event, or one of a later version.
    """
    return RawEvent(*_fields(_raw_event, data))


class Beat(NamedTuple):
    """The newest revision of a stream."""

    revision: int
    epoch: str = ""
    """The history that the revision belongs to. It changes when the store is restored from a backup: revisions of
    another epoch say nothing about this one."""


def encode_beat(beat: Beat) -> bytes:
    """The message of a beat."""
    return codec.pack([VERSION, beat.revision, beat.epoch])


def decode_beat(data: bytes) -> Beat:
    """The beat of a message.

    Raises:
        DecodeError: this is no beat.
    """
    value = codec.unpack(data)
    if isinstance(value, list) and [type(each) for each in value] == [int, int, str] and value[0] == VERSION:
        return Beat(value[1], value[2])
    raise DecodeError("not a beat")


class Request(NamedTuple):
    """An API request over the bus; verb, resource and user stand in the subject.

    On the wire a map of the fields that differ from their defaults.
    """

    namespace: str = ""
    name: str = ""
    subresource: str = ""
    object: Object | None = None
    """create, update: the object. patch: see `patch`. delete: DeleteOptions, deletecollection too."""
    patch: Any = None
    patch_type: str = ""
    """json, merge, strategic or apply."""
    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    field_manager: str = ""
    force: bool = False
    dry_run: bool = False
    cause: int | None = None
    trace: str | None = None
    fence: tuple[str, str, str, int] | None = None
    """(namespace, name, holder, transitions) of the Lease under which a leader writes; see `kubus.machinery.leases`."""


_DEFAULTS = Request()
_OPTIONAL: dict[str, type] = {"object": dict, "cause": int, "trace": str}


def encode_request(request: Request) -> bytes:
    """The message of a request."""
    options = {
        field: value
        for field, value, default in zip(Request._fields, request, _DEFAULTS, strict=True)
        if value != default
    }
    return codec.pack([VERSION, options])


def decode_request(data: bytes) -> Request:
    """The request of a message; unknown fields are refused.

    Raises:
        DecodeError: this is no request, or a field has the wrong type.
    """
    value = codec.unpack(data)
    if not (isinstance(value, list) and len(value) == 2 and value[0] == VERSION and isinstance(value[1], dict)):
        raise DecodeError("not an API request")
    options = value[1]
    for field, given in options.items():
        if field not in Request._fields:
            raise DecodeError(f"API request with unknown field {field!r}")
        default = getattr(_DEFAULTS, field)
        if isinstance(default, str | bool | int) and not isinstance(given, type(default)):
            raise DecodeError(f"API request: {field} must be {type(default).__name__}")
        if field in _OPTIONAL and not isinstance(given, _OPTIONAL[field] | None):
            raise DecodeError(f"API request: {field} must be {_OPTIONAL[field].__name__}")
    if options.get("fence") is not None:
        options["fence"] = _fence(options["fence"])
    return Request(**options)


def _fence(given: Any) -> tuple[str, str, str, int]:
    if isinstance(given, list) and [type(each) for each in given] == [str, str, str, int]:
        return (given[0], given[1], given[2], given[3])
    raise DecodeError("API request: fence must be [namespace, name, holder, transitions]")


def encode_reply(code: int, body: Any) -> bytes:
    """The message of a reply; body is `[revision, object]`, a listing map or a Status."""
    return codec.pack([VERSION, code, body])


def decode_reply(data: bytes) -> tuple[int, Any]:
    """(code, body) of a reply.

    Raises:
        DecodeError: this is no reply.
    """
    try:
        version, code, body = _raw_reply.decode(data)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not a reply: {error}") from None
    if version != VERSION:
        raise DecodeError(f"reply of version {version}, this program reads {VERSION}")
    return code, body


def _fields(decoder: Any, data: bytes) -> tuple[Any, ...]:
    try:
        version, *fields = decoder.decode(data)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not an event: {error}") from None
    if version != VERSION:
        raise DecodeError(f"event of version {version}, this program reads {VERSION}")
    if fields[0] not in ("added", "modified", "deleted"):
        raise DecodeError(f"event with unknown change {fields[0]!r}")
    return tuple(fields)
