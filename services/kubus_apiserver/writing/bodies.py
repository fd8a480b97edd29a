"""Request bodies: from a content type and bytes to a value, and from there to an object that fits its schema.

Nothing here trusts the client: whatever the bytes are, the outcome is a value or a `StatusError` of 4xx. Field
validation follows https://kubernetes.io/docs/reference/using-api/api-concepts/#validation-for-unrecognized-or-duplicate-fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kubus.model.codec import DecodeError, from_json
from kubus.model.errors import StatusError, bad_request, too_large, unsupported_media_type
from kubus.model.kinds import Custom, Kind
from kubus.model.limits import BODY_BYTES_MAX, DEPTH_MAX, too_deep
from kubus.model.objects import Object
from kubus.model.schema import Schemas
from kubus_apiserver.writing.strictness import patch_findings, strict_findings, yaml_error

JSON = "application/json"
_ANY_METADATA = "io.k8s.api.core.v1.Namespace"
"""A definition whose metadata stands for that of custom objects."""
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
PATCHES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
_JSON_PATCHES = frozenset(each for each in PATCHES if each.endswith("+json"))
_SLOW_BYTES = 64 * 1024


def media_type(content_type: str) -> str:
    """The type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def read_value(content_type: str, data: bytes, again: list[str] | None = None) -> Any:
    """The value of a JSON, YAML or protobuf body; `again` gets a sentence about each key that YAML names again.

    Raises:
        StatusError: 400 it is not what it says, 413 it is too big, 415 it is something else.
    """
    if len(data) > BODY_BYTES_MAX:
        raise too_large("Request entity too large: limit is 3145728")
    media = media_type(content_type) or JSON
    try:
        if media == JSON:
            value = from_json(data)
        elif media in (YAML, "text/yaml", "application/x-yaml"):
            from kubus.model.yaml_text import load_yaml  # few clients send YAML

            value = load_yaml(data, again)
        elif media == PROTOBUF:
            from kubus.model.protobuf import decode  # its tables load when the first such body comes

            value = decode(data)
        else:
            raise unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: "
                f"{JSON}, {YAML}, {PROTOBUF}"
            )
    except DecodeError as error:
        raise bad_request(f"error decoding the body as {media}: {error}") from None
    if data.count(b"{") + data.count(b"[") + data.count(b"-") > DEPTH_MAX and too_deep(value):
        raise bad_request(f"the object is nested deeper than {DEPTH_MAX} levels")
    return value


def is_slow(content_type: str, data: bytes) -> bool:
    """Whether a body is better decoded in a thread: large, and of a form that Python itself decodes."""
    return len(data) > _SLOW_BYTES and media_type(content_type) not in (JSON, "", *_JSON_PATCHES)


def read_object(content_type: str, data: bytes, again: list[str] | None = None) -> Object:
    """The object of a body; `again` as with `read_value`.

    Raises:
        StatusError: like `read_value`, and 400 for anything but an object.
    """
    value = read_value(content_type, data, again)
    if not isinstance(value, dict):
        raise bad_request("the body of the request has to be an object")
    return value


def read_patch(content_type: str, data: bytes, again: list[str] | None = None) -> tuple[str, Any]:
    """(type, patch) of a PATCH body; the type is json, merge, strategic or apply; `again` as with `read_value`.

    Raises:
        StatusError: 400, 413, 415.
    """
    kind = PATCHES.get(media_type(content_type))
    if kind is None:
        supported = ", ".join(PATCHES)
        raise unsupported_media_type(
            f"the body of the request was in an unknown format - accepted media types include: {supported}"
        )
    return kind, read_value(YAML if kind == "apply" else JSON, data, again)


class Text(NamedTuple):
    """A body as it came, for what only its text can tell."""

    content_type: str
    data: bytes
    again: Sequence[str]
    """What YAML said of keys that come again."""


def told_of_text(kind: Kind, text: Text, obj: Object, schemas: Schemas, field_validation: str) -> tuple[str, ...]:
    """Everything a strict decoder would say of a body that names fields twice; () of any other.

    Raises:
        StatusError: 400, it was not to be tolerated.
    """
    if field_validation == "Ignore":
        return ()
    if text.again:
        unknown = fitted(kind, obj, schemas, "Warn")[1]
        if field_validation == "Strict":
            raise _cannot_handle(kind, f"strict decoding error: {', '.join((yaml_error(text.again), *unknown))}")
        return (*text.again, *unknown)
    if (media_type(text.content_type) or JSON) != JSON:
        return ()
    found = strict_findings(kind, text.data, obj, schemas)
    if found and kind.custom is not None:
        found = (*found, *fitted(kind, obj, schemas, "Warn")[1])
    if found and field_validation == "Strict":
        raise _cannot_handle(kind, f"strict decoding error: {', '.join(found)}")
    return found


def told_of_patch(patch_type: str, text: Text, patch: Any, field_validation: str) -> tuple[str, ...]:
    """What a strict decoder would say of a patch's own text.

    Raises:
        StatusError: 400, an apply configuration names keys again, which was not to be tolerated.
    """
    if field_validation == "Ignore":
        return ()
    if patch_type != "apply":
        return patch_findings(patch_type, text.data, patch)
    if text.again and field_validation == "Strict":
        error = f"error converting YAML to JSON: {yaml_error(text.again)}"
        raise bad_request(f"error strict decoding YAML: {error}")
    return tuple(text.again)


def fitted(kind: Kind, obj: Object, schemas: Schemas, field_validation: str) -> tuple[Object, tuple[str, ...]]:
    """The object as its schema has it, and warnings about what was dropped.

    Raises:
        StatusError: 400, a field has the wrong type, or an unknown field was not to be tolerated.
    """
    metadata = obj.get("metadata")
    if type(metadata) is dict and metadata.get("managedFields") == []:
        # An empty list asks to forget all managers, as one empty entry does; empty lists do not outlive normalization.
        obj = {**obj, "metadata": {**metadata, "managedFields": [{}]}}
    if kind.custom is not None:
        return _fitted_custom(kind, kind.custom, obj, schemas, field_validation)
    definition = kind.schema
    if definition not in schemas or schemas.clean(definition, obj):
        return obj, ()
    findings = schemas.check(definition, obj)
    if findings.wrong_types:
        raise _cannot_handle(kind, findings.wrong_types[0])
    return schemas.normalized(definition, obj), _told(kind, findings.unknown, field_validation)


def _fitted_custom(
    kind: Kind, custom: Custom, obj: Object, schemas: Schemas, field_validation: str
) -> tuple[Object, tuple[str, ...]]:
    """A custom object pruned by its own schema, its metadata by everybody's."""
    given = {"metadata": obj.get("metadata") or {}}
    findings = schemas.check(_ANY_METADATA, given)
    if findings.wrong_types:
        raise _cannot_handle(kind, findings.wrong_types[0])
    kept, unknown = custom.pruned(obj)
    kept = {**kept, "metadata": schemas.normalized(_ANY_METADATA, given).get("metadata") or {}}
    return kept, _told(kind, [*findings.unknown, *unknown], field_validation)


def _told(kind: Kind, unknown: Sequence[str], field_validation: str) -> tuple[str, ...]:
    """The warnings about unknown fields.

    Raises:
        StatusError: 400, they were not to be tolerated.
    """
    warnings = tuple(f'unknown field "{path}"' for path in unknown)
    if warnings and field_validation == "Strict":
        raise _cannot_handle(kind, f"strict decoding error: {', '.join(warnings)}")
    return warnings if field_validation == "Warn" else ()


def _cannot_handle(kind: Kind, detail: str) -> StatusError:
    return bad_request(f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {detail}')
