"""Makes shared/kubus/model/data/schema.json from the dev dependency kubernetes-validate.

The package ships the JSON schemas of the Kubernetes API. Kept are the definitions that generally available
kinds reach, and of each only what a machine needs: fields, types, required fields, enums, list types, merge
keys; no prose. A field is a type expression, or a pair of one and its attributes:

    string  int32  int64  double  bool  byte  object  any     scalars; object and any are free-form
    []T     {}T                                               list, map with string keys
    io.k8s.api.core.v1.PodSpec                                a definition

Run `python scripts/make_schema.py` after the dependency has changed; a test compares.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

LEVEL = "v1.37.0-local"
TARGET = Path(__file__).parent.parent / "shared" / "kubus" / "model" / "data" / "schema.json"
GENERALLY_AVAILABLE = re.compile(r"v\d+")
PREFIX = "#/$defs/"
SCALARS = {"boolean": "bool", "string": "string", "number": "double", "integer": "int64", "object": "object"}
FORMATS = {"int32": "int32", "int64": "int64", "byte": "byte", "double": "double"}
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "date-time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "micro-time",
}
ATTRIBUTES = {
    "x-kubernetes-list-type": "listType",
    "x-kubernetes-list-map-keys": "mapKeys",
    "x-kubernetes-patch-strategy": "strategy",
    "x-kubernetes-patch-merge-key": "mergeKey",
    "x-kubernetes-map-type": "mapType",
    "enum": "enum",
}

Json = dict[str, Any]


def source() -> dict[str, Json]:
    """All definitions as the dependency has them."""
    package = files("kubernetes_validate") / "kubernetes-json-schema" / LEVEL / "_definitions.json"
    definitions: dict[str, Json] = json.loads(package.read_text(encoding="utf-8"))["$defs"]
    return definitions


def kind_of(schema: Json) -> str:
    """The one type of a schema, null left out; "" for a schema that allows anything."""
    types = schema.get("type", "")
    return next(iter(t for t in types if t != "null"), "") if isinstance(types, list) else str(types)


def type_expression(schema: Json) -> str:
    """A field's type in the notation above."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(PREFIX)
    kind = kind_of(schema)
    if kind == "array":
        return "[]" + type_expression(schema.get("items", {}))
    if kind == "object" and "additionalProperties" in schema:
        return "{}" + type_expression(schema["additionalProperties"])
    return FORMATS.get(schema.get("format", "")) or SCALARS.get(kind, "any")


def field(name: str, schema: Json) -> str | list[Any]:
    """A field: its type, with its attributes where it has some."""
    attributes = {short: schema[long] for long, short in ATTRIBUTES.items() if long in schema}
    if name in ("apiVersion", "kind"):
        attributes.pop("enum", None)
    return [type_expression(schema), attributes] if attributes else type_expression(schema)


def definition(name: str, schema: Json) -> Json:
    """A definition: `fields`, or the `type` of one that is no struct."""
    compact: Json = {}
    if kinds := schema.get("x-kubernetes-group-version-kind"):
        compact["gvk"] = [[kind["group"], kind["version"], kind["kind"]] for kind in kinds]
    if "properties" in schema:
        compact["fields"] = {key: field(key, value) for key, value in sorted(schema["properties"].items())}
    elif name in SPECIAL:
        compact["type"] = SPECIAL[name]
    else:
        empty_struct = kind_of(schema) == "object" and not name.endswith((".RawExtension", ".FieldsV1", ".Patch"))
        if empty_struct:
            compact["fields"] = {}
        else:
            compact["type"] = kind_of(schema) or "any"
    if schema.get("required"):
        compact["required"] = sorted(schema["required"])
    if map_type := schema.get("x-kubernetes-map-type"):
        compact["mapType"] = map_type
    return compact


def references(compact: Json) -> set[str]:
    """The definitions that a definition names."""
    types = [each[0] if isinstance(each, list) else each for each in compact.get("fields", {}).values()]
    return {text for each in types if "." in (text := each.lstrip("[]{}"))}


def schema() -> dict[str, Json]:
    """The compact definitions that generally available kinds reach, by name."""
    everything = {name: definition(name, each) for name, each in source().items()}
    reached: set[str] = set()
    waiting = [
        name
        for name, each in everything.items()
        if any(GENERALLY_AVAILABLE.fullmatch(version) for _, version, _ in each.get("gvk", ()))
    ]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(references(everything[name]))
    return {name: everything[name] for name in sorted(reached)}


def text() -> str:
    """The file's contents: JSON with one definition a line, so that changes can be read."""
    lines = [f"{json.dumps(name)}:{json.dumps(each, separators=(',', ':'))}" for name, each in schema().items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text(), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
