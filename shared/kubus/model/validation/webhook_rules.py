"""Rules of webhooks and policies: operations, groups, versions, resources.

Follows pkg/apis/admissionregistration/validation: who says `*` says nothing beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubus.model.errors import FieldError, invalid, required
from kubus.model.objects import Object
from kubus.model.validation.values import one_of

OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_ALONE = {"operations": "operations", "apiGroups": "API groups", "apiVersions": "API versions"}


def rule_errors(rule: Object, path: str, operations: Sequence[str] = OPERATIONS) -> list[FieldError]:
    """What is wrong with a rule about operations and resources."""
    errors: list[FieldError] = []
    for key, words in _ALONE.items():
        values = rule.get(key) or []
        if not values:
            errors.append(required(f"{path}.{key}"))
        if len(values) > 1 and "*" in values:
            errors.append(invalid(f"{path}.{key}", values, f"if '*' is present, must not specify other {words}"))
    for index, operation in enumerate(rule.get("operations") or ()):
        errors += one_of(operation, f"{path}.operations[{index}]", operations)
    for index, version in enumerate(rule.get("apiVersions") or ()):
        if not version:
            errors.append(required(f"{path}.apiVersions[{index}]"))
    errors += _resources_errors(rule.get("resources") or [], f"{path}.resources")
    return errors + one_of(rule.get("scope"), f"{path}.scope", _SCOPES)


def _resources_errors(resources: list[str], path: str) -> list[FieldError]:
    if not resources:
        return [required(path)]
    errors: list[FieldError] = []
    whole: set[str] = set()
    every: set[str] = set()
    for index, text in enumerate(resources):
        resource, slash, subresource = text.partition("/")
        if not text:
            errors.append(required(f"{path}[{index}]"))
        if not slash:
            continue
        for covered, pattern in ((resource in whole, f"{resource}/*"), (subresource in every, f"*/{subresource}")):
            if covered:
                errors.append(invalid(f"{path}[{index}]", text, f"if '{pattern}' is present, must not specify {text}"))
        if subresource == "*":
            whole.add(resource)
        if resource == "*":
            every.add(subresource)
    if len(resources) > 1 and "*/*" in resources:
        errors.append(invalid(path, resources, "if '*/*' is present, must not specify other resources"))
    if "*" in resources and any("/" not in text and text not in ("", "*") for text in resources):
        detail = "if '*' is present, must not specify other resources without subresources"
        errors.append(invalid(path, resources, detail))
    return errors
