"""Label selectors: are they well-formed, and do they match the labels of a template?"""

from __future__ import annotations

from kubus.model.errors import FieldError, forbidden_field, invalid, required
from kubus.model.names import label_key_errors, label_value_errors
from kubus.model.objects import Object, path_of
from kubus.model.selectors import LabelSelector
from kubus.model.validation.metadata import labels_errors

MISMATCH = "`selector` does not match template `labels`"


def is_empty(selector: Object) -> bool:
    """Whether a selector selects everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def label_selector_errors(selector: Object | None, path: str) -> list[FieldError]:
    """What is wrong with a selector of matchLabels and matchExpressions."""
    if selector is None:
        return []
    errors = labels_errors(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, each in enumerate(selector.get("matchExpressions") or ()):
        errors += _requirement_errors(each, f"{path}.matchExpressions[{index}]")
    return errors


def _requirement_errors(requirement: Object, path: str) -> list[FieldError]:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    key = requirement.get("key") or ""
    errors: list[FieldError] = []
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden_field(f"{path}.values", detail))
    else:
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    errors += [invalid(f"{path}.key", key, each) for each in label_key_errors(key)]
    for index, value in enumerate(values):
        errors += [invalid(f"{path}.values[{index}]", value, each) for each in label_value_errors(value)]
    return errors


def template_selector_errors(spec: Object, kind: str) -> list[FieldError]:
    """A workload's selector: there, not empty, well-formed, and matching its template's labels."""
    selector = spec.get("selector")
    if selector is None:
        return [required("spec.selector"), *_match_errors(spec, {})]
    errors = label_selector_errors(selector, "spec.selector")
    if is_empty(selector):
        errors.append(invalid("spec.selector", selector, f"empty selector is invalid for {kind}"))
    return errors or _match_errors(spec, selector)


def _match_errors(spec: Object, selector: Object) -> list[FieldError]:
    labels = path_of(spec, "template", "metadata", "labels")
    if selector and LabelSelector.from_object(selector).matches(labels):
        return []
    return [invalid("spec.template.metadata.labels", labels, MISMATCH)]
