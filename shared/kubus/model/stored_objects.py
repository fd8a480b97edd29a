"""Stored objects, decoded and held against their kind's schema at once.

What stands in etcd was checked when it was written, but etcd may hold something else: a record that somebody wrote by
hand, or that a damaged disk or a defective program left. One such object must not stop whoever works on a thousand
others, so it is found where it enters a process (the apiserver's watch cache, an informer's events), and whatever
reads a cache may rely on the types of the schema.

The check costs nothing: MessagePack is decoded by a decoder that knows the kind's types (measured on a Pod of 1.8 KB:
10 µs, against 18 µs without types and 60 µs for a walk through the schema afterwards). It is compiled when a kind is
first met. It is stricter than JSON where consumers would fail (times, quantities, owner references without a uid), and
milder where they do not: any field may be null, and fields that the schema does not name, those of a later version,
are left out as Kubernetes' own decoders leave them out. Of a custom resource only its metadata is checked.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Required, TypedDict

from kubus.model.codec import DecodeError, Raw, integer_of, text_matching, typed_decoder, unpack
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.objects import Key, Object
from kubus.model.schema import load_schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubus.model.kinds import Kind
    from kubus.model.schema import FieldSchema

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_OBJECT_META = _META + "ObjectMeta"
_REQUIRED = {
    _META + "OwnerReference": ("apiVersion", "kind", "name", "uid"),
    "io.k8s.api.core.v1.Pod": ("spec",),
    "io.k8s.api.core.v1.Service": ("spec",),
    "io.k8s.api.core.v1.Container": ("name",),
    "io.k8s.api.core.v1.ServicePort": ("port",),
    "io.k8s.api.core.v1.NodeAddress": ("type", "address"),
    "io.k8s.api.core.v1.Taint": ("key", "effect"),
    "io.k8s.api.apps.v1.Deployment": ("spec",),
    "io.k8s.api.apps.v1.ReplicaSet": ("spec",),
    "io.k8s.api.apps.v1.StatefulSet": ("spec",),
    "io.k8s.api.apps.v1.DaemonSet": ("spec",),
    "io.k8s.api.batch.v1.Job": ("spec",),
    "io.k8s.api.batch.v1.CronJob": ("spec",),
}
"""Fields that validation demands of every stored object, and that its readers do not ask for twice."""
_BEYOND_SCHEMA: dict[str, dict[str, Any]] = {"io.k8s.api.core.v1.Secret": {"digest": str}}
"""The digest stands in a Secret's event in the place of its data."""
_DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = text_matching(rf"^{_DATE}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-][0-2][0-9]:[0-5][0-9])$")
_QUANTITY = text_matching(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$")
_SPECIAL: dict[str, Any] = {
    "quantity": _QUANTITY | int,
    "int-or-string": int | str,
    "date-time": _TIME,
    "micro-time": _TIME,
    "object": dict[str, Any],
    "any": Any,
}
_SCALARS: dict[str, Any] = {
    "any": Any,
    "string": str,
    "boolean": bool,
    "integer": integer_of(64),
    "number": int | float,
    "object": dict[str, Any],
}


def decode_object(key: Key, data: bytes | memoryview | Raw) -> Object:
    """The object that stands under a key.

    Raises:
        DecodeError: what stands there is no object of the key's kind, or has another name.
    """
    obj = _decoder(key.collection)(data)
    _check_type(key.collection, obj)
    metadata = obj.get("metadata")
    if metadata is None:
        raise DecodeError("the object has no metadata")
    if metadata.get("name") != key.name or (metadata.get("namespace") or "") != key.namespace:
        raise DecodeError(f"the object calls itself {metadata.get('namespace') or ''}/{metadata.get('name')}")
    return obj  # type: ignore[no-any-return]  # the decoder's type is a dict


@cache
def _stored_kinds() -> dict[str, Kind]:
    """By collection, the kind in whose version its objects are stored."""
    return {kind.collection: kind for kind in builtin_kinds() if kind.from_stored is None}


def _check_type(collection: str, obj: Object) -> None:
    """One object of a foreign kind would make its whole list unreadable to clients. Neither field has to be there."""
    kind = _stored_kinds().get(collection)
    if kind is not None:
        is_own = obj.get("apiVersion") in (None, kind.api_version) and obj.get("kind") in (None, kind.name)
    else:
        group = collection.partition(".")[2]
        written = obj.get("apiVersion") or f"{group}/"
        is_own = str(written).startswith(f"{group}/") and isinstance(obj.get("kind"), str | None)
    if not is_own:
        raise DecodeError(f"the object is a {obj.get('kind')!r} of {obj.get('apiVersion')!r}")


@cache
def _decoder(collection: str) -> Callable[[bytes | memoryview | Raw], Any]:
    kind = _stored_kinds().get(collection)
    if kind is not None:
        return typed_decoder(_struct_type(kind.schema))
    check = typed_decoder(TypedDict("Custom", {"metadata": Required[_struct_type(_OBJECT_META)]}))  # type: ignore[operator]  # built at run time

    def decode_custom(data: bytes | memoryview | Raw) -> Any:
        check(data)
        return unpack(data)

    return decode_custom


_MET: dict[str, Any] = {}
"""The types built so far, by definition; of a definition that contains itself only the outermost is looked into."""


def _struct_type(name: str) -> Any:
    found = _MET.get(name)
    if found is None:
        _MET[name] = dict[str, Any]
        required = _REQUIRED.get(name, ())
        fields = {
            field: Required[type_] if field in required else type_ | None
            for field, schema in load_schemas().fields(name).items()
            for type_ in [_type(schema)]
        } | _BEYOND_SCHEMA.get(name, {})
        found = _MET[name] = TypedDict(name.replace(".", "_"), fields, total=False)  # type: ignore[operator]  # built at run time
    return found


def _type(schema: FieldSchema) -> Any:
    if schema.type == "ref":
        definition = load_schemas().definition(schema.ref)
        return _struct_type(schema.ref) if definition.type == "struct" else _SPECIAL[definition.type]
    if schema.items is not None:
        held = _type(schema.items)
        return dict[str, held] if schema.type == "map" else list[held]  # type: ignore[valid-type]  # built at run time
    if schema.format in ("int32", "int64"):
        return integer_of(int(schema.format[3:]))
    return _SCALARS[schema.type]
