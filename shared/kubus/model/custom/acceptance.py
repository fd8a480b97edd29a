"""Which names a definition gets, and the conditions that say so.

Within a group no two definitions may have a plural, singular, short name, kind or list kind in common. Who has a name
keeps it; who wants a taken one is told so, and is not served until all of its names are its own. Once established a
definition stays so.

https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from kubus.model.objects import Object, annotations_of, name_of, path_of

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that keeps a definition until its objects are gone."""
APPROVED = "api-approved.kubernetes.io"
APPROVAL_RULES = "https://github.com/kubernetes/enhancements/pull/1111"
_RESOURCES = ("plural", "singular")
_KINDS = ("kind", "listKind")
_REASONS = {
    "plural": "PluralConflict",
    "singular": "SingularConflict",
    "shortNames": "ShortNamesConflict",
    "kind": "KindConflict",
    "listKind": "ListKindConflict",
}


def judged(definition: Object, others: Iterable[Object], now: str) -> Object:
    """The status that a definition is to have; `others` are all definitions, `now` the time of what changes."""
    taken_resources, taken_kinds = _taken(definition, others)
    wanted, before = definition["spec"]["names"], path_of(definition, "status", "acceptedNames", default={})
    accepted: dict[str, Any] = {}
    refused: list[tuple[str, str]] = []
    for field in (*_RESOURCES, *_KINDS):
        taken = taken_resources if field in _RESOURCES else taken_kinds
        name = wanted.get(field)
        if name and name in taken:
            refused.append((_REASONS[field], f'"{name}" is already in use'))
            name = before.get(field)
        if name:
            accepted[field] = name
    short = wanted.get("shortNames") or []
    clashes = [name for name in short if name in taken_resources]
    if clashes:
        refused.append((_REASONS["shortNames"], ", ".join(f'"{name}" is already in use' for name in clashes)))
        short = before.get("shortNames") or []
    accepted = {"plural": "", "kind": "", **accepted}
    for field, values in (("shortNames", short), ("categories", wanted.get("categories") or [])):
        if values:
            accepted[field] = values
    status = definition.get("status") or {}
    conditions = _set(status.get("conditions") or [], _names_accepted(refused), now)
    approval = approval_of(definition)
    if approval is not None:
        conditions = _set(conditions, approval, now)
    if not refused or _status_of(conditions, "Established") != "True":
        conditions = _set(conditions, _established(refused), now)
    return {**status, "acceptedNames": accepted, "conditions": conditions}


def approval_of(definition: Object) -> Object | None:
    """The condition that says whether the Kubernetes community has agreed; None where it need not."""
    group = definition["spec"]["group"]
    if not f".{group}".endswith((".k8s.io", ".kubernetes.io")):
        return None
    said = annotations_of(definition).get(APPROVED) or ""
    if not said:
        status, reason = "False", "MissingAnnotation"
        message = f'protected groups must have approval annotation "{APPROVED}", see {APPROVAL_RULES}'
    elif said.startswith("unapproved"):
        status, reason, message = "False", "UnapprovedAnnotation", f'not approved: "{said}"'
    elif urlsplit(said).scheme and urlsplit(said).netloc:
        status, reason, message = "True", "ApprovedAnnotation", f"approved in {said}"
    else:
        status, reason = "False", "InvalidAnnotation"
        message = (
            f'protected groups must have approval annotation "{APPROVED}" with either a URL or a reason starting with '
            f'"unapproved", see {APPROVAL_RULES}'
        )
    return {"type": "KubernetesAPIApprovalPolicyConformant", "status": status, "reason": reason, "message": message}


def terminating(definition: Object, reason: str, message: str, now: str, *, status: str = "True") -> Object:
    """The status of a definition whose objects are being deleted."""
    condition = {"type": "Terminating", "status": status, "reason": reason, "message": message}
    before = definition.get("status") or {}
    return {**before, "conditions": _set(before.get("conditions") or [], condition, now)}


def _taken(definition: Object, others: Iterable[Object]) -> tuple[set[str], set[str]]:
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if other["spec"]["group"] != definition["spec"]["group"] or name_of(other) == name_of(definition):
            continue
        names = path_of(other, "status", "acceptedNames", default={})
        resources.update(names[field] for field in _RESOURCES if names.get(field))
        resources.update(names.get("shortNames") or ())
        kinds.update(names[field] for field in _KINDS if names.get(field))
    return resources, kinds


def _names_accepted(refused: list[tuple[str, str]]) -> Object:
    if refused:
        reason, message = refused[-1]
        return {"type": "NamesAccepted", "status": "False", "reason": reason, "message": message}
    return {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"}


def _established(refused: list[tuple[str, str]]) -> Object:
    if refused:
        reason, message = "NotAccepted", "not all names are accepted"
        return {"type": "Established", "status": "False", "reason": reason, "message": message}
    reason, message = "InitialNamesAccepted", "the initial names have been accepted"
    return {"type": "Established", "status": "True", "reason": reason, "message": message}


def _status_of(conditions: list[Object], type_: str) -> str:
    return next((str(each.get("status")) for each in conditions if each.get("type") == type_), "")


def _set(conditions: list[Object], condition: Object, now: str) -> list[Object]:
    """The conditions with one of them set; its time moves only when its status does."""
    before = next((each for each in conditions if each.get("type") == condition["type"]), None)
    same = before is not None and before.get("status") == condition["status"]
    since = before["lastTransitionTime"] if before is not None and same else now
    new = {
        "lastTransitionTime": since,
        "message": condition["message"],
        "reason": condition["reason"],
        "status": condition["status"],
        "type": condition["type"],
    }
    if before is None:
        return [*conditions, new]
    return [new if each is before else each for each in conditions]
