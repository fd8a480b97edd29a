"""RuntimeClass: a pod that names a class gets what the class brings along.

That is the overhead of its runtime, and where it can run at all: node labels and tolerations. A pod may not say
otherwise, nor claim an overhead without a class that has one.

https://kubernetes.io/docs/concepts/containers/runtime-class/
"""

from __future__ import annotations

from typing import Any

from kubus.model.objects import Key, Object
from kubus.model.resource_totals import amounts
from kubus_apiserver.admission import Proposal
from kubus_apiserver.reading.watchcache import WatchCache

COLLECTION = "runtimeclasses.node.k8s.io"
_PODS = "pods.core"
_OTHER = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
_ALONE = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
_Toleration = dict[str, Any]


def runtime_class(proposal: Proposal, cache: WatchCache) -> None:
    """Give a new pod the overhead and the scheduling rules of its class.

    Raises:
        StatusError: 403, there is no such class, or the pod says otherwise.
    """
    spec = _spec(proposal)
    if spec is None or spec.get("runtimeClassName") is None:
        return
    found = _class(proposal, spec, cache)
    fixed = (found.get("overhead") or {}).get("podFixed")
    if fixed:
        _check_overhead(proposal, spec, fixed)
        spec["overhead"] = dict(fixed)
    scheduling = found.get("scheduling")
    if scheduling:
        _unite_selectors(proposal, spec, scheduling.get("nodeSelector") or {})
        merged = merged_tolerations(scheduling.get("tolerations") or [], spec.get("tolerations") or [])
        if merged:
            spec["tolerations"] = merged


def overhead_of_its_class(proposal: Proposal, cache: WatchCache) -> None:
    """A pod has the overhead of its class, or none.

    Raises:
        StatusError: 403.
    """
    spec = _spec(proposal)
    if spec is None or (not spec.get("overhead") and spec.get("runtimeClassName") is None):
        return
    found = _class(proposal, spec, cache) if spec.get("runtimeClassName") is not None else {}
    fixed = (found.get("overhead") or {}).get("podFixed")
    if fixed:
        _check_overhead(proposal, spec, fixed)
    elif spec.get("overhead"):
        raise proposal.refused(_ALONE)


def _spec(proposal: Proposal) -> Object | None:
    spec = proposal.object.get("spec") if proposal.is_new(_PODS) else None
    return spec if isinstance(spec, dict) else None


def _class(proposal: Proposal, spec: Object, cache: WatchCache) -> Object:
    name = spec["runtimeClassName"]
    entry = cache.get(Key(COLLECTION, "", name))
    if entry is None:
        raise proposal.refused(f'pod rejected: RuntimeClass "{name}" not found')
    return entry.object


def _check_overhead(proposal: Proposal, spec: Object, fixed: Object) -> None:
    if spec.get("overhead") and amounts(spec["overhead"]) != amounts(fixed):
        raise proposal.refused(_OTHER)


def _unite_selectors(proposal: Proposal, spec: Object, selector: dict[str, str]) -> None:
    given = spec.get("nodeSelector") or {}
    for key, value in sorted(selector.items()):
        if given.get(key, value) != value:
            raise proposal.refused(
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {given[key]}"
            )
    if selector:
        spec["nodeSelector"] = {**given, **selector}


def merged_tolerations(first: list[_Toleration], second: list[_Toleration]) -> list[_Toleration]:
    """Both lists without what another of them tolerates as well."""
    every = [*first, *second]
    merged: list[_Toleration] = []
    for number, each in enumerate(every):
        later = (other for other in every[number + 1 :] if other != each)
        if not any(_includes(other, each) for other in (*merged, *later)):
            merged.append(each)
    return merged


def _includes(wide: _Toleration, narrow: _Toleration) -> bool:
    """Whether one tolerates whatever the other does."""
    if wide == narrow:
        return True
    exists = wide.get("operator") == "Exists"
    if wide.get("key", "") != narrow.get("key", "") and (wide.get("key") or not exists):
        return False
    if wide.get("effect") and wide["effect"] != narrow.get("effect"):
        return False
    seconds = wide.get("tolerationSeconds")
    if wide.get("effect") == "NoExecute" and seconds is not None:
        shorter = narrow.get("tolerationSeconds")
        if shorter is None or shorter > seconds:
            return False
    return exists or (_operator(narrow) == _operator(wide) and wide.get("value") == narrow.get("value"))


def _operator(toleration: _Toleration) -> str:
    return toleration.get("operator") or "Equal"
