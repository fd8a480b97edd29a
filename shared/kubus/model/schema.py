"""The schema of the built-in API as data: which fields an object may have and of what type.

`data/schema.json` is made by scripts/make_schema.py; it holds no prose. A `Definition` is what the API
documents call by a name like `io.k8s.api.core.v1.PodSpec`; it is built from its line of the file when it is first
asked for, because a service touches a few dozen of the six hundred. What reads it: decoding (`check`, `normalized`),
strategic merge patch and server-side apply (list types, merge keys), OpenAPI and protobuf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from kubus.model.codec import from_json
from kubus.model.objects import Object
from kubus.model.schema_check import Check, Findings, findings, fits
from kubus.model.schema_shape import missing_fields, normalized

_DATA = Path(__file__).parent / "data" / "schema.json"

SCALARS = {
    "string": ("string", ""),
    "int32": ("integer", "int32"),
    "int64": ("integer", "int64"),
    "double": ("number", "double"),
    "bool": ("boolean", ""),
    "byte": ("string", "byte"),
    "object": ("object", ""),
    "any": ("any", ""),
}


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """The type of a field, or of the items of a list or map."""

    type: str
    """string, integer, number, boolean, object (free-form), any, array, map or ref."""
    format: str = ""
    """int32, int64, double, byte or ""."""
    ref: str = ""
    """The definition's name, where type is ref."""
    items: FieldSchema | None = None
    """What an array or map holds."""
    required: bool = False
    list_type: str = ""
    """atomic, set, map or ""."""
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""
    """atomic, granular or ""."""
    patch_strategy: str = ""
    """merge, replace, retainKeys or a comma-separated pair."""
    patch_merge_key: str = ""
    enum: tuple[str, ...] = ()

    @property
    def items_ref(self) -> str:
        """The definition that the items of an array or map are of, or ""."""
        return self.items.ref if self.items else ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A struct with fields, or a special scalar."""

    name: str
    type: str
    """struct, quantity, int-or-string, date-time, micro-time, object or any."""
    fields: dict[str, FieldSchema] = field(default_factory=dict)
    kinds: tuple[tuple[str, str, str], ...] = ()
    """(group, version, kind) of a definition that is a kind."""
    map_type: str = ""


def _parsed(expression: str) -> FieldSchema:
    """The schema of a type expression, without attributes."""
    if expression.startswith("[]"):
        return FieldSchema("array", items=_parsed(expression[2:]))
    if expression.startswith("{}"):
        return FieldSchema("map", items=_parsed(expression[2:]))
    if scalar := SCALARS.get(expression):
        return FieldSchema(scalar[0], scalar[1])
    return FieldSchema("ref", ref=expression)


def _field(compact: str | list[Any], required: bool) -> FieldSchema:
    expression, attributes = (compact, {}) if isinstance(compact, str) else compact
    plain = _parsed(expression)
    return FieldSchema(
        plain.type,
        plain.format,
        plain.ref,
        plain.items,
        required,
        attributes.get("listType", ""),
        tuple(attributes.get("mapKeys", ())),
        attributes.get("mapType", ""),
        attributes.get("strategy", ""),
        attributes.get("mergeKey", ""),
        tuple(attributes.get("enum", ())),
    )


class Schemas:
    """All definitions, by name. Unknown names raise KeyError."""

    def __init__(self, compact: dict[str, dict[str, Any]]) -> None:
        self._compact = compact
        self._definitions: dict[str, Definition] = {}
        self._checks: dict[str, Check] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._compact

    def names(self) -> list[str]:
        """The names of all definitions, sorted."""
        return sorted(self._compact)

    def definition(self, name: str) -> Definition:
        """The definition of a name."""
        found = self._definitions.get(name)
        if found is None:
            compact = self._compact[name]
            required = frozenset(compact.get("required", ()))
            fields = {key: _field(value, key in required) for key, value in compact.get("fields", {}).items()}
            kinds = tuple((group, version, kind) for group, version, kind in compact.get("gvk", ()))
            found = Definition(name, compact.get("type", "struct"), fields, kinds, compact.get("mapType", ""))
            self._definitions[name] = found
        return found

    def fields(self, name: str) -> dict[str, FieldSchema]:
        """The fields of a definition."""
        return self.definition(name).fields

    def field(self, name: str, key: str) -> FieldSchema | None:
        """One field of a definition; None if it has no such field."""
        return self.definition(name).fields.get(key)

    def kinds(self) -> dict[tuple[str, str, str], str]:
        """The definition of every (group, version, kind)."""
        return {
            (group, version, kind): name
            for name, compact in self._compact.items()
            for group, version, kind in compact.get("gvk", ())
        }

    def clean(self, name: str, obj: Object) -> bool:
        """Whether an object fits its definition as it stands: nothing unknown, wrong, null or to be normalized.

        One fast pass; True means that `check` finds nothing and `normalized` changes nothing.
        """
        return fits(self, self._checks, name, obj)

    def check(self, name: str, obj: Object) -> Findings:
        """Unknown fields and wrong types, in Kubernetes' words."""
        return Findings() if self.clean(name, obj) else findings(self, name, obj)

    def normalized(self, name: str, obj: Object) -> Object:
        """The object as Kubernetes would write it after reading it.

        Unknown fields and nulls are gone, quantities are canonical strings, empty optional lists and maps are
        left out. Meant for objects without wrong types; shares what it does not change.
        """
        return obj if self.clean(name, obj) else normalized(self, name, obj)

    def missing(self, name: str, obj: Object) -> list[str]:
        """The paths of required fields that an object does not have."""
        return missing_fields(self, name, obj)


@cache
def load_schemas() -> Schemas:
    """The schemas of the built-in API; read once in a process."""
    return Schemas(from_json(_DATA.read_bytes()))
