"""Defaults and texts of admission webhooks and policies."""

from __future__ import annotations

from typing import Any

from kubus.model.cells import UNSET, selector_text
from kubus.model.objects import Object, path_of


def set_validating_defaults(obj: Object) -> None:
    """Webhooks that validate."""
    for webhook in obj.get("webhooks") or ():
        _set_webhook_defaults(webhook)


def set_mutating_defaults(obj: Object) -> None:
    """Webhooks that mutate are not asked again when another has changed something."""
    for webhook in obj.get("webhooks") or ():
        _set_webhook_defaults(webhook)
        webhook.setdefault("reinvocationPolicy", "Never")


def _set_webhook_defaults(webhook: Object) -> None:
    webhook.setdefault("failurePolicy", "Fail")
    webhook.setdefault("timeoutSeconds", 10)
    _set_match_defaults(webhook)
    service = path_of(webhook, "clientConfig", "service")
    if service:
        service.setdefault("port", 443)
    for rule in webhook.get("rules") or ():
        rule.setdefault("scope", "*")


def _set_match_defaults(match: Object) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})


def set_policy_defaults(obj: Object) -> None:
    """Policies fail closed and see everything that their rules name."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    _set_constraint_defaults(spec.get("matchConstraints"))


def set_policy_binding_defaults(obj: Object) -> None:
    """Bindings narrow down nothing."""
    _set_constraint_defaults(path_of(obj, "spec", "matchResources"))


def _set_constraint_defaults(match: Any) -> None:
    if not isinstance(match, dict):
        return
    _set_match_defaults(match)
    for rule in [*(match.get("resourceRules") or ()), *(match.get("excludeResourceRules") or ())]:
        rule.setdefault("scope", "*")


def param_kind_text(obj: Object) -> str:
    """`v1/ConfigMap`."""
    kind = path_of(obj, "spec", "paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET


def param_ref_text(obj: Object) -> str:
    """`namespace/name`, `*/name`, or a selector."""
    reference = path_of(obj, "spec", "paramRef")
    if not reference:
        return UNSET
    if reference.get("name"):
        return f"{reference.get('namespace') or '*'}/{reference['name']}"
    return selector_text(reference["selector"]) if reference.get("selector") else UNSET
