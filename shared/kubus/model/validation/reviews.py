"""Questions about rights: what a SubjectAccessReview and its kin have to say to be answered; pure.

One of a resource and a path is asked about, for somebody, and a selector is given as text or as requirements.

https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubus.model.errors import FieldError, forbidden_field, invalid, required
from kubus.model.objects import Object

_WITH_VALUES, _WITHOUT_VALUES = ("In", "NotIn"), ("Exists", "DoesNotExist")
_SAID_BY_SERVERS = frozenset({"creationTimestamp", "managedFields"})


def access_errors(obj: Object, *, of_others: bool) -> list[FieldError]:
    """What is wrong with a question; `of_others`: it names whom it asks about."""
    spec: Object = obj.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    errors: list[FieldError] = []
    if resource is not None and path is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        errors.append(invalid("spec.nonResourceAttributes", path, detail))
    if resource is None and path is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        errors.append(invalid("spec.resourceAttributes", None, detail))
    if of_others and not spec.get("user") and not spec.get("groups"):
        errors.append(invalid("spec.user", "", "at least one of user or group must be specified"))
    for kind in ("fieldSelector", "labelSelector"):
        if resource and resource.get(kind) is not None:
            errors += _selector_errors(resource[kind], f"spec.resourceAttributes.{kind}")
    return errors


def metadata_errors(obj: Object, *, namespaced: bool) -> list[FieldError]:
    """A question has no name: what its metadata says too much."""
    allowed = _SAID_BY_SERVERS | ({"namespace"} if namespaced else frozenset())
    metadata: Object = obj.get("metadata") or {}
    if not any(value for field, value in metadata.items() if field not in allowed):
        return []
    return [invalid("metadata", metadata, "must be empty except for namespace" if namespaced else "must be empty")]


def local_errors(obj: Object, namespace: str) -> list[FieldError]:
    """What is wrong with a question that is asked within one namespace."""
    spec: Object = obj.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    errors: list[FieldError] = []
    if resource is not None and (resource.get("namespace") or "") != namespace:
        detail = "must match metadata.namespace"
        errors.append(invalid("spec.resourceAttributes.namespace", resource.get("namespace") or "", detail))
    if path is not None:
        errors.append(invalid("spec.nonResourceAttributes", path, "disallowed on this kind of request"))
    return errors


def _selector_errors(selector: Object, path: str) -> Iterator[FieldError]:
    raw, requirements = selector.get("rawSelector") or "", selector.get("requirements") or ()
    if raw and requirements:
        yield invalid(f"{path}.rawSelector", raw, "may not specified at the same time as requirements")
    if not raw and not requirements:
        detail = f"when {path} is specified, requirements or rawSelector is required"
        yield required(f"{path}.requirements", detail)
    for number, requirement in enumerate(requirements):
        yield from _requirement_errors(requirement, f"{path}.requirements[{number}]")


def _requirement_errors(requirement: Object, path: str) -> Iterator[FieldError]:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if operator in _WITH_VALUES and not values:
        yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in _WITHOUT_VALUES and values:
        yield forbidden_field(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator not in (*_WITH_VALUES, *_WITHOUT_VALUES):
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    if not requirement.get("key"):
        yield required(f"{path}.key", "must be specified")
