"""Admission webhooks.

Follows pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubus.model.errors import FieldError, duplicate, invalid, required, too_many
from kubus.model.names import dns_1035_label_errors, dns_subdomain_errors, label_key_errors
from kubus.model.objects import Object
from kubus.model.policy_expressions import Scope, compiled
from kubus.model.validation.selectors import label_selector_errors
from kubus.model.validation.values import one_of, required_one_of
from kubus.model.validation.webhook_clients import client_errors
from kubus.model.validation.webhook_rules import rule_errors

REVIEW_VERSIONS = ("v1", "v1beta1")
_SCOPE = Scope(params=False, variables=())
CONDITIONS_MAX = 64


def webhooks_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a configuration of webhooks; match conditions are compiled when they are written."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, webhook in enumerate(obj.get("webhooks") or ()):
        path, name = f"webhooks[{index}]", webhook.get("name") or ""
        errors += _webhook_errors(webhook, path)
        if name in names:
            errors.append(duplicate(f"{path}.name", name))
        names.add(name)
        before = [each for hook in (old or {}).get("webhooks") or () for each in hook.get("matchConditions") or ()]
        errors += _condition_errors(webhook.get("matchConditions") or (), f"{path}.matchConditions", before)
    return errors


def _condition_errors(conditions: Sequence[Object], path: str, before: Sequence[Object] = ()) -> list[FieldError]:
    """What is wrong with match conditions; those that stood there before are not compiled again."""
    errors: list[FieldError] = []
    if len(conditions) > CONDITIONS_MAX:
        errors.append(too_many(path, len(conditions), CONDITIONS_MAX))
    names: set[str] = set()
    for index, condition in enumerate(conditions):
        where, name, text = f"{path}[{index}]", condition.get("name") or "", condition.get("expression") or ""
        if not text.strip():
            errors.append(required(f"{where}.expression"))
        elif condition not in before and (found := compiled(text, "bool", _SCOPE)).program is None:
            errors.append(invalid(f"{where}.expression", text, found.error))
        if not name:
            errors.append(required(f"{where}.name"))
        errors += [invalid(f"{where}.name", name, each) for each in label_key_errors(name) if name]
        if name and name in names:
            errors.append(duplicate(f"{where}.name", name))
        names.add(name)
    return errors


def _webhook_errors(webhook: Object, path: str) -> list[FieldError]:
    name = webhook.get("name") or ""
    errors = [invalid(f"{path}.name", name, each) for each in dns_subdomain_errors(name)]
    if not errors and name.count(".") < 2:
        errors.append(
            invalid(f"{path}.name", name, "should be a domain with at least three segments separated by dots")
        )
    errors += _version_errors(webhook.get("admissionReviewVersions") or [], f"{path}.admissionReviewVersions")
    errors += required_one_of(webhook.get("sideEffects"), f"{path}.sideEffects", ("None", "NoneOnDryRun"))
    errors += one_of(webhook.get("failurePolicy"), f"{path}.failurePolicy", ("Fail", "Ignore"))
    errors += one_of(webhook.get("reinvocationPolicy"), f"{path}.reinvocationPolicy", ("IfNeeded", "Never"))
    errors += one_of(webhook.get("matchPolicy"), f"{path}.matchPolicy", ("Equivalent", "Exact"))
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        errors.append(invalid(f"{path}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds"))
    for key in ("namespaceSelector", "objectSelector"):
        errors += label_selector_errors(webhook.get(key), f"{path}.{key}")
    errors += client_errors(webhook.get("clientConfig") or {}, f"{path}.clientConfig")
    for index, rule in enumerate(webhook.get("rules") or ()):
        errors += rule_errors(rule, f"{path}.rules[{index}]")
    return errors


def _version_errors(versions: Sequence[str], path: str) -> list[FieldError]:
    known = ", ".join(REVIEW_VERSIONS)
    if not versions:
        return [required(path, f"must specify one of {known}")]
    errors: list[FieldError] = []
    for index, version in enumerate(versions):
        errors += [invalid(f"{path}[{index}]", version, each) for each in dns_1035_label_errors(version)]
        if version in versions[:index]:
            errors.append(invalid(f"{path}[{index}]", version, "duplicate version"))
    if not errors and not any(version in REVIEW_VERSIONS for version in versions):
        errors.append(invalid(path, list(versions), f"must include at least one of {known}"))
    return errors
