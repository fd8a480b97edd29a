"""Where a pod may run: tolerations, affinity and spreading."""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from kubus.model.names import dns_label_errors, dns_subdomain_errors, label_key_errors, label_value_errors
from kubus.model.objects import Object
from kubus.model.validation.selectors import label_selector_errors

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")


def tolerations_errors(tolerations: list[Object], path: str) -> list[FieldError]:
    """What is wrong with a pod's tolerations."""
    errors: list[FieldError] = []
    for index, each in enumerate(tolerations):
        errors += _toleration_errors(each, f"{path}[{index}]")
    return errors


def _toleration_errors(toleration: Object, path: str) -> list[FieldError]:
    key, operator = toleration.get("key") or "", toleration.get("operator") or ""
    value, effect = toleration.get("value") or "", toleration.get("effect") or ""
    errors = [invalid(f"{path}.key", key, each) for each in label_key_errors(key)] if key else []
    if not key and operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        errors.append(invalid(f"{path}.operator", operator, detail))
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        errors.append(invalid(f"{path}.effect", effect, detail))
    if operator in ("", "Equal"):
        if wrong := label_value_errors(value):
            errors.append(invalid(f"{path}.operator", value, ";".join(wrong)))
    elif operator == "Exists":
        if value:
            detail = "value must be empty when `operator` is 'Exists'"
            errors.append(invalid(f"{path}.operator", value, detail))
    elif operator in ("Gt", "Lt"):
        if not value.removeprefix("-").isdecimal() or not -(2**63) <= int(value) < 2**63:
            detail = "must be a valid decimal integer in canonical form"
            errors.append(invalid(f"{path}.value", value, detail))
    else:
        errors.append(not_supported(f"{path}.operator", operator, ("Equal", "Exists")))
    if effect and effect not in EFFECTS:
        errors.append(not_supported(f"{path}.effect", effect, EFFECTS))
    return errors


def affinity_errors(affinity: Object, path: str) -> list[FieldError]:
    """What is wrong with node and pod affinity."""
    errors: list[FieldError] = []
    node = affinity.get("nodeAffinity") or {}
    at = f"{path}.nodeAffinity"
    wanted = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    if wanted is not None:
        errors += node_selector_errors(wanted, f"{at}.requiredDuringSchedulingIgnoredDuringExecution")
    for index, each in enumerate(node.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        inner = f"{at}.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
        preference = each.get("preference") or {}
        errors += _weight_errors(each, inner) + _node_term_errors(preference, f"{inner}.preference", values_free=True)
    for key in ("podAffinity", "podAntiAffinity"):
        errors += _pod_affinity_errors(affinity.get(key) or {}, f"{path}.{key}")
    return errors


def node_selector_errors(selector: Object, path: str) -> list[FieldError]:
    """What is wrong with a selector of nodes."""
    terms = selector.get("nodeSelectorTerms") or []
    if not terms:
        return [required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")]
    errors: list[FieldError] = []
    for index, term in enumerate(terms):
        errors += _node_term_errors(term, f"{path}.nodeSelectorTerms[{index}]")
    return errors


def _node_term_errors(term: Object, path: str, *, values_free: bool = False) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, each in enumerate(term.get("matchExpressions") or ()):
        at, key, operator = f"{path}.matchExpressions[{index}]", each.get("key") or "", each.get("operator") or ""
        values = each.get("values") or []
        if operator in ("In", "NotIn") and not values:
            errors.append(required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist") and values:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden_field(f"{at}.values", detail))
        elif operator in ("Gt", "Lt") and len(values) != 1:
            errors.append(required(f"{at}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'"))
        elif operator not in NODE_OPERATORS:
            errors.append(invalid(f"{at}.operator", operator, "not a valid selector operator"))
        errors += [invalid(f"{at}.key", key, sentence) for sentence in label_key_errors(key)]
        for number, value in enumerate(() if values_free else values):
            errors += [invalid(f"{at}.values[{number}]", value, sentence) for sentence in label_value_errors(value)]
    for index, each in enumerate(term.get("matchFields") or ()):
        errors += _node_field_errors(each, f"{path}.matchFields[{index}]")
    return errors


def _node_field_errors(requirement: Object, path: str) -> list[FieldError]:
    key, operator = requirement.get("key") or "", requirement.get("operator") or ""
    values = requirement.get("values") or []
    errors: list[FieldError] = []
    if operator not in ("In", "NotIn"):
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    elif len(values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        errors.append(required(f"{path}.values", detail))
    if key != "metadata.name":
        return [*errors, invalid(f"{path}.key", key, "not a valid field selector key")]
    for index, value in enumerate(values):
        errors += [invalid(f"{path}.values[{index}]", value, each) for each in dns_subdomain_errors(value)]
    return errors


def _weight_errors(weighted: Object, path: str) -> list[FieldError]:
    weight = weighted.get("weight") or 0
    return [] if 1 <= weight <= 100 else [invalid(f"{path}.weight", weight, "must be in the range 1-100")]


def _pod_affinity_errors(affinity: Object, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, term in enumerate(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
        errors += _pod_term_errors(term, f"{path}.requiredDuringSchedulingIgnoredDuringExecution[{index}]")
    for index, each in enumerate(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        at = f"{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
        errors += _weight_errors(each, at)
        errors += _pod_term_errors(each.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")
    return errors


def _pod_term_errors(term: Object, path: str) -> list[FieldError]:
    errors = label_selector_errors(term.get("labelSelector"), f"{path}.labelSelector")
    errors += label_selector_errors(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for namespace in term.get("namespaces") or ():
        errors += [invalid(f"{path}.namespace", namespace, each) for each in dns_label_errors(namespace)]
    return errors + _topology_key_errors(term, path)


def _topology_key_errors(term: Object, path: str) -> list[FieldError]:
    key = term.get("topologyKey") or ""
    errors = [] if key else [required(f"{path}.topologyKey", "can not be empty")]
    return errors + [invalid(f"{path}.topologyKey", key, each) for each in label_key_errors(key)]


def spread_errors(constraints: list[Object], path: str) -> list[FieldError]:
    """What is wrong with topology spread constraints."""
    errors: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for index, each in enumerate(constraints):
        at, skew, action = f"{path}[{index}]", each.get("maxSkew") or 0, each.get("whenUnsatisfiable") or ""
        if skew <= 0:
            errors.append(invalid(f"{at}.maxSkew", skew, "must be greater than zero"))
        errors += _topology_key_errors(each, at)
        if action not in UNSATISFIABLE:
            errors.append(not_supported(f"{at}.whenUnsatisfiable", action, UNSATISFIABLE))
        pair = (each.get("topologyKey") or "", action)
        if pair in seen:
            errors.append(duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", f"{{{pair[0]}, {pair[1]}}}"))
        seen.add(pair)
        errors += label_selector_errors(each.get("labelSelector"), f"{at}.labelSelector")
    return errors
