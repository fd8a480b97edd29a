"""Validating admission policies and their bindings.

Follows pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, invalid, not_supported, required
from kubus.model.objects import Object
from kubus.model.policy_expressions import compiled, expressions_of
from kubus.model.validation.selectors import label_selector_errors
from kubus.model.validation.values import one_of

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
_ACTIONS = ("Audit", "Deny", "Warn")


def policy_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a policy: expressions that do not compile above all."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        errors.append(required("spec.validations", "validations or auditAnnotations must be non-empty"))
    if not (spec.get("matchConstraints") or {}).get("resourceRules"):
        errors.append(required("spec.matchConstraints.resourceRules"))
    errors += _match_errors(spec.get("matchConstraints"), "spec.matchConstraints")
    errors += one_of(spec.get("failurePolicy"), "spec.failurePolicy", ("Fail", "Ignore"))
    for index, each in enumerate(spec.get("validations") or ()):
        errors += one_of(each.get("reason"), f"spec.validations[{index}].reason", _REASONS)
    names = [each.get("name") for each in spec.get("variables") or ()]
    errors += [duplicate(f"spec.variables[{i}].name", name) for i, name in enumerate(names) if name in names[:i]]
    if old is None or (old.get("spec") or {}) != spec:
        errors += _expression_errors(obj)
    return errors


def _expression_errors(obj: Object) -> list[FieldError]:
    errors = []
    for path, text, result in expressions_of(obj):
        if not text.strip():
            errors.append(required(path, f"{path.rpartition('.')[2]} is not specified"))
            continue
        found = compiled(text, result)
        if found.program is None:
            errors.append(invalid(path, text, f"compilation failed: {found.error}"))
    return errors


def binding_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """What is wrong with a binding."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if not spec.get("policyName"):
        errors.append(required("spec.policyName"))
    actions = spec.get("validationActions") or []
    if not actions:
        errors.append(required("spec.validationActions", "at least one validation action is required"))
    for index, action in enumerate(actions):
        path = f"spec.validationActions[{index}]"
        if action not in _ACTIONS:
            errors.append(not_supported(path, action, _ACTIONS))
        if action in actions[:index]:
            errors.append(duplicate(path, action))
    if "Deny" in actions and "Warn" in actions:
        errors.append(invalid("spec.validationActions", actions, "must not contain both Deny and Warn"))
    errors += _reference_errors(spec.get("paramRef"))
    return errors + _match_errors(spec.get("matchResources"), "spec.matchResources")


def _reference_errors(reference: Object | None) -> list[FieldError]:
    if reference is None:
        return []
    if bool(reference.get("name")) == (reference.get("selector") is not None):
        return [required("spec.paramRef.name", "one of name or selector must be specified")]
    action = reference.get("parameterNotFoundAction")
    if not action:
        return [required("spec.paramRef.parameterNotFoundAction")]
    return one_of(action, "spec.paramRef.parameterNotFoundAction", ("Allow", "Deny"))


def _match_errors(match: Object | None, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in ("namespaceSelector", "objectSelector"):
        errors += label_selector_errors((match or {}).get(key), f"{path}.{key}")
    return errors
