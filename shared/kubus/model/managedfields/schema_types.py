"""Types from the built-in schema: definition by definition, each compiled once.

Two things the schema does not say are said here, because Kubernetes' own types show them in every managedFields: which
structs are always written even if empty (`strategy: {}`, `resources: {}`), so that nobody owns them by creating the
object, and what a missing list key stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubus.model.managedfields.types import ANYTHING, DEDUCED, Fields, Implied, Items, Leaf, Type

if TYPE_CHECKING:
    from kubus.model.schema import Definition, FieldSchema, Schemas

_ALWAYS_WRITTEN = frozenset(
    {
        "metadata",
        "spec",
        "status",
        "template",
        "strategy",
        "updateStrategy",
        "jobTemplate",
        "resources",
        "loadBalancer",
        "nodeInfo",
        "daemonEndpoints",
        "kubeletEndpoint",
        "names",
        "acceptedNames",
        "priorityLevelConfiguration",
        "source",
        "pool",
        "devices",
    }
)
"""Fields whose struct is embedded by value in Kubernetes' types."""
_POINTERS = frozenset(
    {
        ("ReplicationControllerSpec", "template"),
        ("ContainerStatus", "resources"),
        ("PodSpec", "resources"),
        ("PodStatus", "resources"),
    }
)
"""Exceptions: (definition, field)."""
_KEY_DEFAULTS = {"protocol": "TCP"}
_SHAPES = {"string": "string", "integer": "numeric", "number": "numeric", "boolean": "boolean"}
_ZEROS: dict[str, Any] = {"string": "", "integer": 0, "boolean": False}


class SchemaTypes:
    """The types of the definitions of some schemas."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._types: dict[str, Type] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._schemas

    def __getitem__(self, name: str) -> Type:
        """The type of a definition; KeyError if there is none."""
        found = self._types.get(name)
        return found if found is not None else self._compiled(self._schemas.definition(name))

    def _compiled(self, definition: Definition) -> Type:
        if definition.type != "struct":
            made: Type = Fields(items=ANYTHING) if definition.type == "object" else ANYTHING
            return self._types.setdefault(definition.name, made)
        if definition.map_type == "atomic":
            return self._types.setdefault(definition.name, Leaf("map"))
        if not definition.fields:
            return self._types.setdefault(definition.name, Fields(items=ANYTHING))
        fields = Fields()
        self._types[definition.name] = fields  # before its fields: definitions may contain themselves
        owner = definition.name.rpartition(".")[2]
        for name, schema in definition.fields.items():
            fields.declare(name, self._field(schema))
            self._imply(fields, owner, name, schema)
        return fields

    def _imply(self, fields: Fields, owner: str, name: str, schema: FieldSchema) -> None:
        element, type_ = fields.entries[name]
        if isinstance(type_, Fields) and schema.type == "ref":
            if name in _ALWAYS_WRITTEN and (owner, name) not in _POINTERS:
                fields.implied.append(Implied(name, element, type_, {}))
        elif isinstance(type_, Items) and schema.required:
            fields.implied.append(Implied(name, element, type_, None))

    def _field(self, schema: FieldSchema) -> Type:
        if schema.type == "ref":
            return Leaf("map") if schema.map_type == "atomic" else self[schema.ref]
        if schema.type == "map":
            if schema.map_type == "atomic" or schema.items is None:
                return Leaf("map")
            return Fields(items=self._field(schema.items))
        if schema.type == "array":
            return self._list(schema)
        if schema.type == "object":
            return DEDUCED
        return Leaf(_SHAPES.get(schema.type, ""))

    def _list(self, schema: FieldSchema) -> Type:
        keys, list_type = schema.list_map_keys, schema.list_type
        if not list_type and "merge" in schema.patch_strategy.split(","):
            list_type = "map" if schema.patch_merge_key else "set"
            keys = (schema.patch_merge_key,) if schema.patch_merge_key else ()
        if schema.items is None or list_type not in ("set", "map"):
            return Leaf("list")
        if list_type == "set":
            return Items(self._field(schema.items))
        return Items(self._field(schema.items), tuple(sorted(keys)), self._defaults(schema.items_ref, keys))

    def _defaults(self, item: str, keys: tuple[str, ...]) -> dict[str, Any]:
        fields = self._schemas.fields(item) if item else {}
        defaults: dict[str, Any] = {}
        for key in keys:
            schema = fields.get(key)
            if key in _KEY_DEFAULTS:
                defaults[key] = _KEY_DEFAULTS[key]
            elif schema is not None and (schema.required or key == "name") and schema.type in _ZEROS:
                defaults[key] = _ZEROS[schema.type]
        return defaults
