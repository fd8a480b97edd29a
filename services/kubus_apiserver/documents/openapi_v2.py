"""OpenAPI v2: one document of everything, for Helm, Argo CD, Headlamp and older kubectl.

It is the v3 documents, said in the older dialect: bodies are parameters, `#/components/schemas/` is `#/definitions/`,
and what v2 cannot say (`oneOf`, `nullable`, …) is left out. A group version is converted and encoded at a time, each
path and definition on its own, so that the whole never stands in memory; what is kept is the compressed result,
as JSON and as protobuf (`kubus_apiserver.documents.openapi_v2_protobuf`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kubus.model.custom.pruning import PRESERVE
from kubus.model.objects import Object
from kubus_apiserver.documents.openapi_schemas import GVK

_V3_REFERENCE, _V2_REFERENCE = "#/components/schemas/", "#/definitions/"
_KEPT = frozenset(
    {
        "title",
        "description",
        "type",
        "format",
        "required",
        "enum",
        "default",
        "maximum",
        "minimum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "maxProperties",
        "minProperties",
        "multipleOf",
    }
)
_METHODS = ("get", "put", "post", "delete", "patch")
_OF_TYPE = {"int-or-string": "string"}
"""What a schema of several types is called in v2, by format; others are strings."""


class Part(NamedTuple):
    """A path (its name begins with a slash) or a definition."""

    name: str
    value: Object


def parts(documents: Iterable[Object]) -> Iterator[Part]:
    """The paths and definitions of v3 documents in v2's dialect, each once."""
    seen: set[str] = set()
    for document in documents:
        for path, item in document["paths"].items():
            yield Part(path, _path_item(item))
        for name, schema in (document.get("components") or {}).get("schemas", {}).items():
            if name not in seen:
                seen.add(name)
                yield Part(name, _definition(schema))


def _definition(schema: Object) -> Object:
    """A definition in v2's dialect. One that keeps unknown fields at its root says nothing of those it knows.

    kubectl refuses a field that a published schema of an object does not name, whatever the extension says.
    """
    if not schema.get(PRESERVE):
        return v2_schema(schema)
    return {"type": "object", **({GVK: schema[GVK]} if GVK in schema else {})}


def v2_schema(schema: Any) -> Object:
    """A schema of v3 in v2's dialect."""
    if not isinstance(schema, dict):
        return {}
    inherited: list[Object] = schema.get("allOf") or []
    reference = schema.get("$ref") or (inherited[0].get("$ref") if len(inherited) == 1 else None)
    if reference:
        said = {"description": schema["description"]} if "description" in schema else {}
        extensions = {key: value for key, value in schema.items() if key.startswith("x-")}
        return {**said, "$ref": reference.replace(_V3_REFERENCE, _V2_REFERENCE), **extensions}
    result: Object = {key: value for key, value in schema.items() if key in _KEPT or key.startswith("x-")}
    if schema.get("nullable"):  # v2 has no null: of a type it would be refused
        result.pop("type", None)
        return result
    if schema.get(PRESERVE):
        return result
    if "type" not in result and "oneOf" in schema:
        result["type"] = _OF_TYPE.get(schema.get("format", ""), "string")
    if "items" in schema:
        result["items"] = v2_schema(schema["items"])
    if "properties" in schema:
        result["properties"] = {name: v2_schema(each) for name, each in schema["properties"].items()}
        _drop_nullable(result, schema["properties"])
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        result["additionalProperties"] = v2_schema(additional)
    elif isinstance(additional, bool):
        result["additionalProperties"] = additional
    return result


def _drop_nullable(result: Object, properties: Object) -> None:
    """Require no field that may be null: a client may leave out what it would write as null."""
    required = [name for name in result.pop("required", ()) if not (properties.get(name) or {}).get("nullable")]
    if required:
        result["required"] = required


def _path_item(item: Object) -> Object:
    result: Object = {method: _operation(item[method]) for method in _METHODS if method in item}
    result["parameters"] = [_parameter(each) for each in item.get("parameters") or ()]
    return result


def _operation(operation: Object) -> Object:
    body = operation.get("requestBody")
    parameters = [_parameter(each) for each in operation.get("parameters") or ()]
    result: Object = {key: value for key, value in operation.items() if key.startswith("x-")}
    answers = {code: _answer(each) for code, each in operation["responses"].items()}
    result["produces"] = sorted(
        {media for each in operation["responses"].values() for media in each.get("content", ())}
    )
    if body is not None:
        result["consumes"] = list(body["content"])
        schema = next(iter(body["content"].values()))["schema"]
        parameters.insert(0, {"name": "body", "in": "body", "required": True, "schema": v2_schema(schema)})
    result["parameters"], result["responses"] = parameters, answers
    return result


def _answer(answer: Object) -> Object:
    content = answer.get("content") or {}
    schemas = [v2_schema(each["schema"]) for each in content.values()]
    return {"description": answer["description"], **({"schema": schemas[0]} if schemas else {})}


def _parameter(parameter: Object) -> Object:
    found = {key: value for key, value in parameter.items() if key != "schema"}
    return found | {key: value for key, value in parameter["schema"].items() if key in _KEPT}
