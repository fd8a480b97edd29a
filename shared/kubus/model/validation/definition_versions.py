"""What a version of a definition has beside its schema: subresources, columns, selectable fields; and conversion.

Follows staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from kubus.model.names import dns_1035_label_errors
from kubus.model.objects import Object

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_SELECTABLE_MAX = 8
_SELECTABLE_TYPES = ("boolean", "integer", "string")
_REVIEWS = ("v1", "v1beta1")
_FIELD_PATH = re.compile(r"(?:\.[A-Za-z_][\w-]*|\['[^'\]]+'\])+")
_FIELD = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^'\]]+)'\]")


def version_errors(version: Object, path: str) -> list[FieldError]:
    """What is wrong with a version, apart from its name and schema."""
    errors: list[FieldError] = []
    scale = (version.get("subresources") or {}).get("scale")
    if scale is not None:
        errors += _scale_errors(scale, f"{path}.subresources.scale")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        errors += _column_errors(column, f"{path}.additionalPrinterColumns[{index}]")
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    errors += _selectable_errors(version.get("selectableFields") or (), schema, f"{path}.selectableFields")
    return errors


def conversion_errors(conversion: Object) -> list[FieldError]:
    """What is wrong with how versions are converted."""
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook") or {}
    if not strategy:
        return [required("spec.conversion.strategy")]
    if strategy not in ("None", "Webhook"):
        return [not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))]
    if strategy == "None":
        if not webhook:
            return []
        words = "should not be set when strategy is not set to Webhook"
        return [forbidden_field("spec.conversion.webhookClientConfig", words)]
    config = webhook.get("clientConfig")
    if config is None:
        words = "required when strategy is set to Webhook"
        errors = [required("spec.conversion.webhookClientConfig", words)]
    else:
        errors = _client_errors(config, "spec.conversion.webhookClientConfig")
    return errors + _review_errors(webhook.get("conversionReviewVersions") or [])


def _client_errors(config: Object, path: str) -> list[FieldError]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    if url is not None and not url.startswith("https://"):
        return [
            invalid(f"{path}.url", url, "'https' is the only allowed URL scheme; desired format: https://host[/path]")
        ]
    if service is not None:
        return [required(f"{path}.service.{key}") for key in ("name", "namespace") if not service.get(key)]
    return []


def _review_errors(versions: Sequence[str]) -> list[FieldError]:
    path = "spec.conversion.conversionReviewVersions"
    if not versions:
        return [required(path)]
    errors: list[FieldError] = []
    for index, version in enumerate(versions):
        errors += [invalid(f"{path}[{index}]", version, each) for each in dns_1035_label_errors(version)]
        if version in versions[:index]:
            errors.append(invalid(f"{path}[{index}]", version, "duplicate version"))
    if not any(version in _REVIEWS for version in versions):
        errors.append(invalid(path, list(versions), f"must include at least one of {', '.join(_REVIEWS)}"))
    return errors


def _scale_errors(scale: Object, path: str) -> Iterator[FieldError]:
    wanted = (
        ("specReplicasPath", (".spec.",), "should be a json path under .spec"),
        ("statusReplicasPath", (".status.",), "should be a json path under .status"),
        ("labelSelectorPath", (".spec.", ".status."), "should be a json path under either .spec or .status"),
    )
    for field, starts, words in wanted:
        text = scale.get(field)
        if not text:
            if field != "labelSelectorPath":
                yield required(f"{path}.{field}")
        elif problem := _path_problem(text):
            yield invalid(f"{path}.{field}", text, problem)
        elif not text.startswith(starts):
            yield invalid(f"{path}.{field}", text, words)


def _path_problem(text: str) -> str:
    """What keeps a text from being a simple path; "" if nothing does."""
    if not text.startswith("."):
        return "must be a simple json path starting with ."
    if text != "." and not all(text[1:].split(".")):
        return "must be a json path in the dot notation"
    return ""


def _column_errors(column: Object, path: str) -> Iterator[FieldError]:
    if not column.get("name"):
        yield required(f"{path}.name")
    type_, format_ = column.get("type") or "", column.get("format") or ""
    if not type_:
        yield required(f"{path}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
    elif type_ not in _COLUMN_TYPES:
        yield invalid(f"{path}.type", type_, f"must be one of {','.join(_COLUMN_TYPES)}")
    if format_ and format_ not in _COLUMN_FORMATS:
        yield invalid(f"{path}.format", format_, f"must be one of {','.join(_COLUMN_FORMATS)}")
    text = column.get("jsonPath") or ""
    if not text:
        yield required(f"{path}.jsonPath")
    elif not text.startswith("."):
        yield invalid(f"{path}.jsonPath", text, "must be a simple json path starting with .")


def _selectable_errors(fields: Sequence[Object], schema: Object, path: str) -> Iterator[FieldError]:
    if len(fields) > _SELECTABLE_MAX:
        words = f"Too many: {len(fields)}: must have at most {_SELECTABLE_MAX} items"
        yield FieldError("FieldValueTooMany", path, words)
    seen: set[tuple[str, ...]] = set()
    for index, each in enumerate(fields):
        text, where = each.get("jsonPath") or "", f"{path}[{index}].jsonPath"
        if not text:
            yield required(where)
            continue
        if _FIELD_PATH.fullmatch(text) is None:
            yield invalid(where, text, f"is an invalid path: expected [ or . but got: {text}")
            continue
        names = tuple(plain or quoted for plain, quoted in _FIELD.findall(text))
        if names[0] == "metadata":
            yield invalid(where, text, "must not point to fields in metadata")
            continue
        found = _schema_at(schema, names)
        if found is None:
            yield invalid(where, text, "is an invalid path: does not refer to a valid field")
        elif found.get("type") not in _SELECTABLE_TYPES:
            words = "must point to a field of type string, boolean or integer"
            yield invalid(where, text, f"{words}. Enum string fields and strings with allowed formats are allowed.")
        elif names in seen:
            yield duplicate(where, text)
        seen.add(names)


def _schema_at(schema: Object, names: Sequence[str]) -> Object | None:
    for name in names:
        below = (schema.get("properties") or {}).get(name)
        if not isinstance(below, dict):
            return None
        schema = below
    return schema
