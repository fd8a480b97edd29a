"""Admission webhooks.

Follows pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubus.model.errors import FieldError, duplicate, invalid, required
from kubus.model.names import dns_subdomain_errors
from kubus.model.objects import Object
from kubus.model.policy_expressions import Scope, compiled
from kubus.model.validation.selectors import label_selector_errors
from kubus.model.validation.values import one_of, required_one_of

REVIEW_VERSIONS = ("v1", "v1beta1")
_SCOPE = Scope(params=False, variables=())
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


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
        if old is None or webhook not in (old.get("webhooks") or ()):
            errors += _condition_errors(webhook.get("matchConditions") or (), f"{path}.matchConditions")
    return errors


def _condition_errors(conditions: Sequence[Object], path: str) -> list[FieldError]:
    errors = []
    for index, condition in enumerate(conditions):
        where, text = f"{path}[{index}].expression", condition.get("expression") or ""
        if not text.strip():
            errors.append(required(where))
        elif (found := compiled(text, "bool", _SCOPE)).program is None:
            errors.append(invalid(where, text, found.error))
    return errors


def _webhook_errors(webhook: Object, path: str) -> list[FieldError]:
    name = webhook.get("name") or ""
    errors = [invalid(f"{path}.name", name, each) for each in dns_subdomain_errors(name)]
    if not errors and name.count(".") < 2:
        errors.append(
            invalid(f"{path}.name", name, "should be a domain with at least three segments separated by dots")
        )
    versions = webhook.get("admissionReviewVersions") or []
    if not any(version in REVIEW_VERSIONS for version in versions):
        shown = ", ".join(REVIEW_VERSIONS)
        detail = f"must specify one of {shown}"
        errors.append(required(f"{path}.admissionReviewVersions", detail))
    errors += required_one_of(webhook.get("sideEffects"), f"{path}.sideEffects", ("None", "NoneOnDryRun"))
    errors += one_of(webhook.get("failurePolicy"), f"{path}.failurePolicy", ("Fail", "Ignore"))
    errors += one_of(webhook.get("matchPolicy"), f"{path}.matchPolicy", ("Equivalent", "Exact"))
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        errors.append(invalid(f"{path}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds"))
    for key in ("namespaceSelector", "objectSelector"):
        errors += label_selector_errors(webhook.get(key), f"{path}.{key}")
    errors += _client_errors(webhook.get("clientConfig") or {}, f"{path}.clientConfig")
    for index, rule in enumerate(webhook.get("rules") or ()):
        errors += rule_errors(rule, f"{path}.rules[{index}]")
    return errors


def _client_errors(config: Object, path: str) -> list[FieldError]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    if url is not None and not url.startswith("https://"):
        return [invalid(f"{path}.url", url, "'https' is the only allowed URL scheme")]
    if service is not None:
        return [required(f"{path}.service.{key}") for key in ("name", "namespace") if not service.get(key)]
    return []


def rule_errors(rule: Object, path: str, operations: Sequence[str] = OPERATIONS) -> list[FieldError]:
    """What is wrong with a rule about operations and resources."""
    errors = [required(f"{path}.{key}") for key in ("apiGroups", "apiVersions", "resources") if not rule.get(key)]
    named = rule.get("operations") or []
    if not named:
        errors.append(required(f"{path}.operations"))
    for index, operation in enumerate(named):
        errors += one_of(operation, f"{path}.operations[{index}]", operations)
    return errors
