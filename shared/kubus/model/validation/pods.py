"""Pods: their spec, and the little that an update may change.

Follows `ValidatePodUpdate` of pkg/apis/core/validation. Subresources (binding, ephemeralcontainers, resize) lift
parts of the limits; the apiserver applies those by code of its own and does not call the update rule for them.
"""

from __future__ import annotations

from typing import Any

from kubus.model.codec import to_json
from kubus.model.errors import FieldError, forbidden_field, invalid
from kubus.model.objects import Object, path_of
from kubus.model.validation.pod_spec import pod_only_errors, pod_spec_errors

CHANGEABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_errors(pod: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a pod."""
    spec = pod.get("spec") or {}
    if old is None:
        return pod_spec_errors(spec, "spec") + pod_only_errors(spec, "spec") + _new_errors(spec)
    before = old.get("spec") or {}
    if spec == before:
        return []
    return pod_spec_errors(spec, "spec") + pod_only_errors(spec, "spec") + _update_errors(spec, before)


def _new_errors(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    if spec.get("ephemeralContainers"):
        errors.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        errors.append(forbidden_field("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
    return errors


def _update_errors(spec: Object, before: Object) -> list[FieldError]:
    for key in ("containers", "initContainers"):
        if len(spec.get(key) or ()) != len(before.get(key) or ()):
            return [forbidden_field(f"spec.{key}", "pod updates may not add or remove containers")]
    errors = _deadline_errors(spec, before) + _toleration_errors(spec, before) + _gate_errors(spec, before)
    if before.get("schedulingGates"):
        errors += gated_errors(spec, before)
    allowed = _with_old_values(spec, before)
    if allowed != before:
        changed = "\n".join(_differences(before, allowed, ""))
        errors.append(forbidden_field("spec", f"{CHANGEABLE}\n{changed}\n"))
    return errors


def _deadline_errors(spec: Object, before: Object) -> list[FieldError]:
    new, old = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if old is not None and new is None:
        detail = "must not update from a positive integer to nil value"
        return [invalid("spec.activeDeadlineSeconds", None, detail)]
    if old is not None and new is not None and new > old:
        detail = "must be less than or equal to previous value"
        return [invalid("spec.activeDeadlineSeconds", new, detail)]
    return []


def _toleration_errors(spec: Object, before: Object) -> list[FieldError]:
    def bare(toleration: Object) -> Object:
        return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}

    kept = [bare(each) for each in spec.get("tolerations") or ()]
    if all(bare(each) in kept for each in before.get("tolerations") or ()):
        return []
    return [forbidden_field("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")]


def _gate_errors(spec: Object, before: Object) -> list[FieldError]:
    """Gates are only taken away."""
    had = {each.get("name") for each in before.get("schedulingGates") or ()}
    return [
        forbidden_field(
            f"spec.schedulingGates[{index}].name",
            f"only deletion is allowed, but found new scheduling gate '{each.get('name')}'",
        )
        for index, each in enumerate(spec.get("schedulingGates") or ())
        if each.get("name") not in had
    ]


def gated_errors(spec: Object, before: Object) -> list[FieldError]:
    """Where a pod may go that is not scheduled yet can only be narrowed."""
    errors: list[FieldError] = []
    new, had = spec.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if not had.items() <= new.items():
        detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        errors.append(invalid("spec.nodeSelector", new, detail))
    terms, old_terms = _terms(spec), _terms(before)
    path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    if old_terms and len(terms) != len(old_terms):
        detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        return [*errors, invalid(path, terms, detail)]
    for index, (term, old_term) in enumerate(zip(terms, old_terms, strict=False)):
        if not _is_narrower(term, old_term):
            detail = "only additions are allowed (no mutations or deletions)"
            errors.append(invalid(f"{path}[{index}]", term, detail))
    return errors


def _terms(spec: Object) -> list[Object]:
    found: list[Object] = path_of(
        spec,
        *("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"),
        default=[],
    )
    return found


def _is_narrower(term: Object, before: Object) -> bool:
    """Whether a term only adds to what it was; one that meant nothing still means nothing."""
    keys = ("matchExpressions", "matchFields")
    new, had = [term.get(key) or [] for key in keys], [before.get(key) or [] for key in keys]
    if not any(had):
        return not any(new)
    return all(each[: len(old)] == old for each, old in zip(new, had, strict=True))


def _with_old_values(spec: Object, before: Object) -> Object:
    """The new spec with everything put back that may change: equal to the old one if nothing else did."""
    result = dict(spec)
    if before.get("schedulingGates"):
        _put_back(result, before, "nodeSelector")
        _put_back_node_affinity(result, before)
    for key in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        _put_back(result, before, key)
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        _put_back(result, before, "terminationGracePeriodSeconds")
    for key in ("containers", "initContainers"):
        if key in result:
            pairs = zip(result[key], before.get(key) or (), strict=False)
            result[key] = [{**new, "image": old.get("image")} for new, old in pairs]
    return result


def _put_back_node_affinity(result: Object, before: Object) -> None:
    affinity = dict(result.get("affinity") or {})
    _put_back(affinity, before.get("affinity") or {}, "nodeAffinity")
    if affinity or "affinity" in before:
        result["affinity"] = affinity
    else:
        result.pop("affinity", None)


def _put_back(result: Object, before: Object, key: str) -> None:
    if key in before:
        result[key] = before[key]
    else:
        result.pop(key, None)


def _differences(old: Any, new: Any, path: str) -> list[str]:
    """`-spec.nodeName: "a"`, `+spec.nodeName: "b"` for each leaf that differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        pairs = [(f"{path}.{key}" if path else key, old.get(key), new.get(key)) for key in keys]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(f"{path}[{index}]", *each) for index, each in enumerate(zip(old, new, strict=True))]
    else:
        lines = [f"- \t{path}: {to_json(old).decode()}"] if old is not None else []
        return lines + ([f"+ \t{path}: {to_json(new).decode()}"] if new is not None else [])
    return [line for inner, before, after in pairs if before != after for line in _differences(before, after, inner)]
