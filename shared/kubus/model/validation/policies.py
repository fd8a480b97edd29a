"""Admission policies, those that validate and those that change objects, and their bindings.

Follows pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubus.model.errors import FieldError, duplicate, invalid, not_supported, required
from kubus.model.names import c_identifier_errors, label_key_errors
from kubus.model.objects import Object
from kubus.model.policy_expressions import compiled, expressions_of
from kubus.model.validation.selectors import label_selector_errors
from kubus.model.validation.values import one_of, required_one_of
from kubus.model.validation.webhook_rules import OPERATIONS, rule_errors

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
_ACTIONS = ("Audit", "Deny", "Warn")
_OPERATIONS_OF_MUTATIONS = ("*", "CONNECT", "CREATE", "UPDATE")
_PATCHES = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_CONDITIONS_MAX = 64
_ANNOTATIONS_MAX = 20


def policy_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a policy that validates: expressions that do not compile above all."""
    spec = obj.get("spec") or {}
    errors = _policy_errors(spec, OPERATIONS)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        errors.append(required("spec.validations", "validations or auditAnnotations must be non-empty"))
    for index, each in enumerate(spec.get("validations") or ()):
        errors += _validation_errors(each, f"spec.validations[{index}]")
    errors += _annotation_errors(spec.get("auditAnnotations") or ())
    if old is None or (old.get("spec") or {}) != spec:
        errors += _expression_errors(obj)
    return errors


def _validation_errors(validation: Object, path: str) -> list[FieldError]:
    errors = one_of(validation.get("reason"), f"{path}.reason", _REASONS)
    message, text = validation.get("message"), (validation.get("expression") or "").strip()
    if message and not message.strip():
        errors.append(invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif message and "\n" in message.strip():
        errors.append(invalid(f"{path}.message", message, "message must not contain line breaks"))
    elif "\n" in text and not message:
        errors.append(required(f"{path}.message", "message must be specified if expression contains line breaks"))
    return errors


def mutating_policy_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a policy that changes objects."""
    spec = obj.get("spec") or {}
    errors = _policy_errors(spec, _OPERATIONS_OF_MUTATIONS)
    if not spec.get("mutations"):
        errors.append(required("spec.mutations", "mutations must contain at least one item"))
    for index, each in enumerate(spec.get("mutations") or ()):
        errors += _mutation_errors(each, f"spec.mutations[{index}]")
    errors += required_one_of(spec.get("reinvocationPolicy"), "spec.reinvocationPolicy", ("IfNeeded", "Never"))
    if old is None or (old.get("spec") or {}) != spec:
        errors += _expression_errors(obj)
    return errors


def _mutation_errors(mutation: Object, path: str) -> list[FieldError]:
    type_ = mutation.get("patchType")
    errors = required_one_of(type_, f"{path}.patchType", tuple(_PATCHES))
    for each, field in _PATCHES.items():
        if each == type_ and mutation.get(field) is None:
            errors.append(required(f"{path}.{field}", f"must be specified when patchType is {each}"))
        elif each != type_ and type_ in _PATCHES and mutation.get(field) is not None:
            errors.append(
                invalid(f"{path}.{field}", mutation[field], f"must not be specified when patchType is {type_}")
            )
    return errors


def _policy_errors(spec: Object, operations: tuple[str, ...]) -> list[FieldError]:
    """What is wrong with what both kinds of policies have."""
    errors: list[FieldError] = []
    match = spec.get("matchConstraints")
    if match is None:
        errors.append(required("spec.matchConstraints"))
    else:
        errors += _match_errors(match, "spec.matchConstraints", operations)
        if not match.get("resourceRules"):
            errors.append(required("spec.matchConstraints.resourceRules"))
    errors += one_of(spec.get("failurePolicy"), "spec.failurePolicy", ("Fail", "Ignore"))
    if (kind := spec.get("paramKind")) is not None:
        errors += [required(f"spec.paramKind.{field}") for field in ("apiVersion", "kind") if not kind.get(field)]
    names = [each.get("name") or "" for each in spec.get("variables") or ()]
    for index, name in enumerate(names):
        path = f"spec.variables[{index}].name"
        if not name:
            errors.append(required(path, "variable name is not specified"))
        elif c_identifier_errors(name):
            errors.append(invalid(path, name, "name is not a valid CEL identifier"))
        elif name in names[:index]:
            errors.append(duplicate(path, name))
    return errors + _condition_errors(spec.get("matchConditions") or ())


def _condition_errors(conditions: Sequence[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    if len(conditions) > _CONDITIONS_MAX:
        errors.append(_too_many("spec.matchConditions", len(conditions), _CONDITIONS_MAX))
    names = [each.get("name") or "" for each in conditions]
    for index, name in enumerate(names):
        path = f"spec.matchConditions[{index}].name"
        if not name:
            errors.append(required(path))
        else:
            errors += [invalid(path, name, each) for each in label_key_errors(name)]
            errors += [duplicate(path, name)] if name in names[:index] else []
    return errors


def _too_many(path: str, count: int, most: int) -> FieldError:
    return FieldError("FieldValueTooMany", path, f"Too many: {count}: must have at most {most} items")


def _annotation_errors(annotations: Sequence[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    if len(annotations) > _ANNOTATIONS_MAX:
        errors.append(_too_many("spec.auditAnnotations", len(annotations), _ANNOTATIONS_MAX))
    keys = [each.get("key") or "" for each in annotations]
    for index, key in enumerate(keys):
        path = f"spec.auditAnnotations[{index}].key"
        if not key:
            errors.append(required(path))
            continue
        errors += [invalid(path, key, each) for each in label_key_errors(key)]
        if "/" in key:
            errors.append(invalid(path, key, "must not contain a prefix"))
        if key in keys[:index]:
            errors.append(duplicate(path, key))
    return errors


def _expression_errors(obj: Object) -> list[FieldError]:
    errors = []
    for each in expressions_of(obj):
        if not each.text.strip():
            errors.append(required(each.path, f"{each.path.rpartition('.')[2]} is not specified"))
            continue
        found = compiled(each.text, each.result, each.scope)
        if found.program is None:
            errors.append(invalid(each.path, each.text, found.error))
    return errors


def mutating_binding_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """What is wrong with a binding of a policy that changes objects."""
    spec = obj.get("spec") or {}
    errors = [] if spec.get("policyName") else [required("spec.policyName")]
    errors += _reference_errors(spec.get("paramRef"))
    return errors + _match_errors(spec.get("matchResources"), "spec.matchResources", _OPERATIONS_OF_MUTATIONS)


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
    return errors + _match_errors(spec.get("matchResources"), "spec.matchResources", OPERATIONS)


def _reference_errors(reference: Object | None) -> list[FieldError]:
    if reference is None:
        return []
    if bool(reference.get("name")) == (reference.get("selector") is not None):
        return [required("spec.paramRef.name", "one of name or selector must be specified")]
    action = reference.get("parameterNotFoundAction")
    if not action:
        return [required("spec.paramRef.parameterNotFoundAction")]
    return one_of(action, "spec.paramRef.parameterNotFoundAction", ("Allow", "Deny"))


def _match_errors(match: Object | None, path: str, operations: tuple[str, ...]) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in ("namespaceSelector", "objectSelector"):
        errors += label_selector_errors((match or {}).get(key), f"{path}.{key}")
    errors += one_of((match or {}).get("matchPolicy"), f"{path}.matchPolicy", ("Equivalent", "Exact"))
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate((match or {}).get(field) or ()):
            errors += rule_errors(rule, f"{path}.{field}[{index}]", operations)
    return errors
