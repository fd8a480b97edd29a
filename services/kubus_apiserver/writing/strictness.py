"""What a strict decoder would say of a body: fields named twice, and fields that nobody knows, in the order they come.

A lenient decoder passes over both in silence. Kubernetes warns of them, or refuses them where fieldValidation is Strict
(https://kubernetes.io/docs/reference/using-api/api-concepts/#validation-for-unrecognized-or-duplicate-fields). Unknown
fields alone are found in the decoded value, by its schema (`kubus_apiserver.writing.bodies.fitted`); here is what only
the text can tell: a JSON text that names a field twice is read once more, slowly, with all its pairs. Of a YAML text
the decoder itself says which lines name a key again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kubus.model.kinds import Kind
from kubus.model.schema import FieldSchema, Schemas
from kubus_apiserver.writing.duplicates import Pairs, duplicate_fields, pairs_of, repeated

_OPERATION = frozenset({"op", "path", "from", "value"})
YAML_ERRORS = "yaml: unmarshal errors:"


def strict_findings(kind: Kind, data: bytes, value: Any, schemas: Schemas) -> tuple[str, ...]:
    """Sentences about a JSON body that names fields twice, its unknown fields among them; () if it names none twice."""
    if not duplicate_fields(data, value):
        return ()
    pairs = pairs_of(data)
    if kind.custom is not None or kind.schema not in schemas or not isinstance(pairs, Pairs):
        return tuple(f'duplicate field "{path}"' for path in dict.fromkeys(repeated(pairs)))
    return tuple(dict.fromkeys(_struct(schemas, kind.schema, pairs, "")))


def patch_findings(patch_type: str, data: bytes, value: Any) -> tuple[str, ...]:
    """Sentences about a JSON patch of whatever type: fields named twice, and what no operation of a patch has."""
    found = [f'duplicate field "{path}"' for path in duplicate_fields(data, value)]
    if patch_type != "json":
        return tuple(found)
    operations = value if isinstance(value, list) else []
    found += [
        f'unknown field "[{index}].{key}"'
        for index, operation in enumerate(operations)
        if isinstance(operation, dict)
        for key in operation
        if key not in _OPERATION
    ]
    return tuple(f"json patch {each}" for each in found)


def yaml_error(lines: Sequence[str]) -> str:
    """What a strict YAML decoder says of keys named again, as one error."""
    return "\n".join([YAML_ERRORS, *(f"  {each}" for each in lines)])


def _struct(schemas: Schemas, name: str, pairs: Pairs, path: str) -> Iterator[str]:
    fields = schemas.fields(name)
    seen: set[str] = set()
    for key, value in pairs:
        at = f"{path}.{key}" if path else key
        schema = fields.get(key)
        if schema is None:
            yield f'unknown field "{at}"'
            continue
        if key in seen:
            yield f'duplicate field "{at}"'
        seen.add(key)
        yield from _value(schemas, schema, value, at)


def _value(schemas: Schemas, schema: FieldSchema, value: Any, path: str) -> Iterator[str]:
    if schema.type == "ref" and isinstance(value, Pairs) and schemas.definition(schema.ref).type == "struct":
        yield from _struct(schemas, schema.ref, value, path)
    elif schema.items is not None and schema.type == "array" and isinstance(value, list) and type(value) is not Pairs:
        for index, each in enumerate(value):
            yield from _value(schemas, schema.items, each, f"{path}[{index}]")
    elif schema.items is not None and isinstance(value, Pairs):
        seen: set[str] = set()
        for key, each in value:
            if key in seen:
                yield f'duplicate field "{path}.{key}"'
            seen.add(key)
            yield from _value(schemas, schema.items, each, f"{path}.{key}")
    else:
        yield from (f'duplicate field "{each}"' for each in repeated(value, path))
