"""Whether a value fits its schema: types, bounds, patterns, formats, unions, list types, embedded resources.

Words are those of Kubernetes, which has them from go-openapi (`spec.replicas in body must be of type integer:
"string"`). A part of an object that an update leaves as it was is not looked at again: an object that was valid once
can be changed elsewhere after its schema has become stricter (KEP-4008, ratcheting).

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubus.model.codec import pack, to_json
from kubus.model.custom.formats import FORMATS
from kubus.model.custom.pruning import EMBEDDED
from kubus.model.errors import FieldError, duplicate, invalid, not_supported, required, too_long
from kubus.model.objects import Object
from kubus.model.regular import is_match

INT_OR_STRING = "x-kubernetes-int-or-string"
ABSENT: Any = object()
"""Where there is no old value to compare with."""


def value_errors(schema: Object, value: Any, path: str = "", old: Any = ABSENT) -> list[FieldError]:
    """What is wrong with a value; `old` is the one that it replaces."""
    return list(_errors(schema, value, path, old))


def _errors(schema: Object, value: Any, path: str, old: Any) -> Iterator[FieldError]:
    if old is not ABSENT and same(value, old):
        return
    if value is None and schema.get("nullable"):
        return
    if wrong := _type_error(schema, value, path):
        yield wrong
        return
    if "enum" in schema and not any(same(value, each) for each in schema["enum"]):
        yield not_supported(path, value, [str(each) for each in schema["enum"]])
    if isinstance(value, str):
        yield from _of_text(schema, value, path)
    elif isinstance(value, dict):
        yield from _of_object(schema, value, path, old)
    elif isinstance(value, list):
        yield from _of_list(schema, value, path, old)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _of_number(schema, value, path)
    yield from _of_union(schema, value, path)


def same(one: Any, other: Any) -> bool:
    """Equality of JSON: true is not 1."""
    return bool(one == other) and (not isinstance(one, bool | int) or isinstance(one, bool) == isinstance(other, bool))


def json_type(value: Any) -> str:
    """The type of a value as messages name it."""
    if value is None:
        return "null"
    names = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next((name for type_, name in names if isinstance(value, type_)), "object")


def _type_error(schema: Object, value: Any, path: str) -> FieldError | None:
    wanted, found = schema.get("type"), json_type(value)
    if schema.get(INT_OR_STRING) and not wanted:
        fits, wanted = found in ("integer", "string"), "integer,string"
    elif not wanted:
        return None
    else:
        whole = found == "number" and wanted == "integer" and value.is_integer()
        fits = found == wanted or whole or (found == "integer" and wanted == "number")
    if fits:
        return None
    where = _in_body(path)
    return FieldError(
        "FieldValueTypeInvalid",
        path or "<nil>",
        f'Invalid value: "{found}": {where} must be of type {wanted}: "{found}"',
    )


def _in_body(path: str) -> str:
    return f"{path} in body" if path else "value in body"


def _of_text(schema: Object, value: str, path: str) -> Iterator[FieldError]:
    longest, shortest = schema.get("maxLength"), schema.get("minLength")
    if longest is not None and len(value) > longest:
        yield too_long(path, int(longest))
    if shortest is not None and len(value) < shortest:
        yield invalid(path, value, f"{_in_body(path)} should be at least {int(shortest)} chars long")
    pattern = schema.get("pattern")
    if pattern and not _matches(pattern, value):
        yield invalid(path, value, f"{_in_body(path)} should match '{pattern}'")
    known = FORMATS.get(str(schema.get("format") or "").lower().replace("_", "-"))
    if known is not None and not known(value):
        shown = to_json(value).decode()
        words = f"Invalid value: {shown}: {_in_body(path)} must be of type {schema['format']}: {shown}"
        yield FieldError("FieldValueTypeInvalid", path, words)


def _matches(pattern: str, value: str) -> bool:
    try:
        return is_match(pattern, value)
    except ValueError:
        return True  # a pattern that is none is refused with its definition


def _of_number(schema: Object, value: float, path: str) -> Iterator[FieldError]:
    lowest, highest, factor = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if lowest is not None and (value <= lowest if schema.get("exclusiveMinimum") else value < lowest):
        words = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield invalid(path, value, f"{_in_body(path)} should be {words} {_number(lowest)}")
    if highest is not None and (value >= highest if schema.get("exclusiveMaximum") else value > highest):
        words = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield invalid(path, value, f"{_in_body(path)} should be {words} {_number(highest)}")
    if factor and not (value / factor).is_integer():
        yield invalid(path, value, f"{_in_body(path)} should be a multiple of {_number(factor)}")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _too_many(path: str, count: int, most: int) -> FieldError:
    items = "item" if most == 1 else "items"
    return FieldError("FieldValueTooMany", path, f"Too many: {count}: must have at most {most} {items}")


def _of_object(schema: Object, value: Object, path: str, old: Any) -> Iterator[FieldError]:
    prefix = f"{path}." if path else ""
    for name in schema.get("required") or ():
        if name not in value:
            yield required(f"{prefix}{name}")
    most, fewest = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None and len(value) > most:
        yield _too_many(path, len(value), int(most))
    if fewest is not None and len(value) < fewest:
        yield invalid(path, value, f"{_in_body(path)} should have at least {int(fewest)} properties")
    if schema.get(EMBEDDED) and path:
        yield from _of_embedded(value, prefix)
    properties, further = schema.get("properties") or {}, schema.get("additionalProperties")
    before = old if isinstance(old, dict) else {}
    for name, inner in value.items():
        below = properties.get(name, further)
        if isinstance(below, dict):
            yield from _errors(below, inner, f"{prefix}{name}", before.get(name, ABSENT))


def _of_embedded(value: Object, prefix: str) -> Iterator[FieldError]:
    for name in ("apiVersion", "kind"):
        given = value.get(name)
        if not given:
            yield required(f"{prefix}{name}", "must not be empty")
        elif not isinstance(given, str):
            yield invalid(f"{prefix}{name}", given, "must be a string")
    if not isinstance(value.get("metadata", {}), dict):
        yield invalid(f"{prefix}metadata", value["metadata"], "must be an object")


def _of_list(schema: Object, value: list[Any], path: str, old: Any) -> Iterator[FieldError]:
    most, fewest = schema.get("maxItems"), schema.get("minItems")
    if most is not None and len(value) > most:
        yield _too_many(path, len(value), int(most))
    if fewest is not None and len(value) < fewest:
        yield invalid(path, value, f"{_in_body(path)} should have at least {int(fewest)} items")
    yield from _of_list_type(schema, value, path)
    items = schema.get("items")
    if isinstance(items, dict):
        before = correlated(schema, value, old)
        for place, each in enumerate(value):
            yield from _errors(items, each, f"{path}[{place}]", before[place])


def correlated(schema: Object, value: list[Any], old: Any) -> list[Any]:
    """The old value of each item, where the list's type says which it is; else ABSENT."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return [ABSENT] * len(value)
    known = {identity(schema, each): each for each in old}
    return [known.get(identity(schema, each), ABSENT) for each in value]


def identity(schema: Object, item: Any) -> bytes:
    """What tells an item of a list of type map from others: its keys, with their defaults."""
    if not isinstance(item, dict):
        return pack(item)
    properties = (schema.get("items") or {}).get("properties") or {}
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    return pack([item.get(key, (properties.get(key) or {}).get("default")) for key in keys])


def _of_list_type(schema: Object, value: list[Any], path: str) -> Iterator[FieldError]:
    type_ = schema.get("x-kubernetes-list-type")
    if type_ not in ("set", "map"):
        return
    seen: set[bytes] = set()
    for place, each in enumerate(value):
        found = identity(schema, each) if type_ == "map" else pack(each)
        if found in seen:
            keys = schema.get("x-kubernetes-list-map-keys") or ()
            shown = each if type_ == "set" or not isinstance(each, dict) else {k: each[k] for k in keys if k in each}
            yield duplicate(f"{path}[{place}]", shown)
        seen.add(found)


def _of_union(schema: Object, value: Any, path: str) -> Iterator[FieldError]:
    for each in schema.get("allOf") or ():
        yield from _errors(each, value, path, ABSENT)
    if (any_of := schema.get("anyOf")) and not any(_fits(each, value, path) for each in any_of):
        yield _refused(path, "must validate at least one schema (anyOf)")
    if one_of := schema.get("oneOf"):
        count = sum(_fits(each, value, path) for each in one_of)
        if count != 1:
            found = "none valid" if not count else f"{count} valid alternatives"
            yield _refused(path, f"must validate one and only one schema (oneOf). Found {found}")
    if (none_of := schema.get("not")) is not None and _fits(none_of, value, path):
        yield _refused(path, "must not validate the schema (not)")


def _refused(path: str, words: str) -> FieldError:
    return FieldError("FieldValueInvalid", path or "<nil>", f'Invalid value: "": "{path}" {words}')


def _fits(schema: Object, value: Any, path: str) -> bool:
    return next(_errors(schema, value, path, ABSENT), None) is None
