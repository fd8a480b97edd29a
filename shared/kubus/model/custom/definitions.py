"""From a CustomResourceDefinition to the kinds that it serves, one a version.

All versions are views of one collection, the one of the version that is stored. An object read in another version, or
from before the schema got a default, is converted and defaulted on its way out (`Kind.from_stored`). Conversion by a
webhook cannot happen in a pure function: there `Custom.webhook` says whom to ask, and the apiserver does it beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubus.model.codec import DecodeError, pack, unpack
from kubus.model.custom.columns import columns, value_at
from kubus.model.custom.defaulting import has_defaults, set_defaults
from kubus.model.custom.pruning import pruned
from kubus.model.custom.rules import has_rules, rule_errors
from kubus.model.custom.values import ABSENT, value_errors
from kubus.model.errors import FieldError, invalid
from kubus.model.kinds import Kind, Scale
from kubus.model.objects import Object, is_deleting, metadata, path_of

ANY: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_BLOCKING = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


@dataclass(frozen=True, eq=False)
class Custom:
    """What a custom kind has beyond others; see `kubus.model.kinds.Custom`."""

    schema: Object
    storage_version: str
    webhook: Object | None
    """`spec.conversion.webhook`, where that converts."""
    terminating: bool
    """Whether the definition is being deleted: nothing new is created."""

    def pruned(self, obj: Object) -> tuple[Object, list[str]]:
        """The object without fields that its schema does not name, and their paths."""
        return pruned(self.schema, obj)


def kinds_of(definition: Object) -> list[Kind]:
    """The kinds that a definition serves once it is established: its served versions, the stored one first."""
    versions = [each for each in path_of(definition, "spec", "versions", default=()) if each.get("served")]
    made = [_kind(definition, each) for each in versions]
    return sorted(made, key=lambda kind: bool(kind.stored_as))


def is_established(definition: Object) -> bool:
    """Whether the definition's names are its own, so that its kinds are served."""
    conditions = path_of(definition, "status", "conditions", default=())
    return any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions)


def _deprecation(version: Object, named: str) -> str:
    return str(version.get("deprecationWarning") or f"{named} is deprecated") if version.get("deprecated") else ""


def _kind(definition: Object, version: Object) -> Kind:
    spec = definition["spec"]
    names = path_of(definition, "status", "acceptedNames", default={}) or spec["names"]
    group, name, plural = spec["group"], version["name"], spec["names"]["plural"]
    schema = path_of(version, "schema", "openAPIV3Schema", default=ANY)
    stored = next((each["name"] for each in spec["versions"] if each.get("storage")), name)
    conversion = spec.get("conversion") or {}
    webhook = conversion.get("webhook") if conversion.get("strategy") == "Webhook" else None
    custom = Custom(schema, stored, webhook, is_deleting(definition))
    kind_name = names.get("kind") or spec["names"]["kind"]
    subresources = version.get("subresources") or {}
    one_version = path_of(definition, "status", "storedVersions", default=[]) == [stored] == [name]
    pure = one_version and not has_defaults(schema)
    return Kind(
        group=group,
        version=name,
        name=kind_name,
        plural=plural,
        namespaced=spec.get("scope") == "Namespaced",
        schema=f"{group}/{name}/{kind_name}@{_edition(definition)}",
        singular_name=names.get("singular") or "",
        list_kind=names.get("listKind") or "",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        deprecation=_deprecation(version, f"{group}/{name} {kind_name}"),
        status="status" in subresources,
        scale=_scale(subresources["scale"]) if "scale" in subresources else None,
        defaults=partial(_set_defaults, schema),
        rules=(partial(_object_errors, schema, has_rules(schema)),),
        columns=columns(version.get("additionalPrinterColumns") or ()),
        fields=_fields(version.get("selectableFields") or ()),
        generation=True,
        stored_as="" if name == stored else f"{plural}.{group}",
        to_stored=None if name == stored else partial(_converted, f"{group}/{stored}", webhook is not None),
        from_stored=None if pure else partial(_shown, schema, f"{group}/{name}", webhook is not None),
        custom=custom,
    )


def _edition(definition: Object) -> str:
    """What tells this schema from the one before: views of objects are remembered by it."""
    return f"{metadata(definition).get('uid', '')}.{metadata(definition).get('generation', 0)}"


def _set_defaults(schema: Object, obj: Object) -> None:
    set_defaults(schema, obj)


def _object_errors(schema: Object, ruled: bool, obj: Object, old: Object | None) -> list[FieldError]:
    """Types and bounds first; rules only where those let one be evaluated."""
    errors = value_errors(schema, obj, old=ABSENT if old is None else old)
    if ruled:
        if any(each.reason in _BLOCKING for each in errors):
            return [*errors, invalid("<nil>", None, _UNCHECKED)]
        errors += rule_errors(schema, obj, old)
    return errors


def _shown(schema: Object, api_version: str, by_webhook: bool, stored: Object) -> Object:
    obj: Object = unpack(pack(_converted(api_version, by_webhook, stored)))
    set_defaults(schema, obj)
    return obj


def _converted(api_version: str, by_webhook: bool, obj: Object) -> Object:
    if obj.get("apiVersion") == api_version:
        return obj
    if by_webhook:
        raise DecodeError(f"{obj.get('apiVersion')} has to be converted to {api_version} by a webhook first")
    return {**obj, "apiVersion": api_version}


def _scale(scale: Object) -> Scale:
    return Scale(
        _path(scale.get("specReplicasPath") or ""),
        _path(scale.get("statusReplicasPath") or ""),
        _path(scale.get("labelSelectorPath") or ""),
    )


def _path(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(".") if part)


def _fields(selectable: list[Object] | tuple[()]) -> dict[str, Callable[[Object], str]]:
    return {each["jsonPath"].removeprefix("."): partial(_field, each["jsonPath"]) for each in selectable}


def _field(path: str, obj: Object) -> str:
    value: Any = value_at(path, obj)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
