"""PodSecurity: a namespace's labels say which standard its pods have to meet, and of which they only hear.

`enforce` refuses pods, `warn` tells the client, also of the templates of Deployments and the like, which are never
refused. Who tightens a namespace's `enforce` is told which of its pods would not pass.

https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kubus.model.errors import invalid, invalid_object
from kubus.model.objects import Key, path_of
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.pod_standards import LEVELS, Violation, violations
from kubus_apiserver.reading.watchcache import WatchCache

_PREFIX = "pod-security.kubernetes.io/"
_ENFORCE, _WARN, _AUDIT = f"{_PREFIX}enforce", f"{_PREFIX}warn", f"{_PREFIX}audit"
_PODS, _NAMESPACES = "pods.core", "namespaces.core"
_ORDER = tuple(LEVELS)
_TEMPLATES = {
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
    "podtemplates.core": ("template",),
    **dict.fromkeys(
        (
            "daemonsets.apps",
            "deployments.apps",
            "jobs.batch",
            "replicasets.apps",
            "replicationcontrollers.core",
            "statefulsets.apps",
        ),
        ("spec", "template"),
    ),
}
_CHECKED_SUBRESOURCES = ("", "ephemeralcontainers")


class Standard(NamedTuple):
    """A level and the version that a namespace names."""

    level: str = "privileged"
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


def standard(labels: Mapping[str, str], mode: str) -> Standard:
    """What a namespace says for a mode; something unknown means the strictest."""
    level = labels.get(mode)
    if level is None:
        return Standard()
    return Standard(level if level in LEVELS else _ORDER[-1], labels.get(f"{mode}-version") or "latest")


def pod_security(proposal: Proposal, cache: WatchCache) -> None:
    """Refuse or warn.

    Raises:
        StatusError: 403, a pod does not meet what is enforced; 422, a namespace's labels name no level.
    """
    collection = proposal.kind.collection
    if proposal.verb == "delete" or proposal.subresource not in _CHECKED_SUBRESOURCES:
        return
    if collection == _NAMESPACES:
        _namespace(proposal, cache)
        return
    if collection != _PODS and collection not in _TEMPLATES:
        return
    entry = cache.get(Key(_NAMESPACES, "", proposal.namespace))
    labels = (entry.object["metadata"].get("labels") or {}) if entry is not None else {}
    if _ENFORCE not in labels and _WARN not in labels:
        return
    enforced, warned = standard(labels, _ENFORCE), standard(labels, _WARN)
    if _WARN not in labels:
        warned = enforced
    if collection == _PODS:
        _pod(proposal, enforced, warned)
    else:
        _template(proposal, _TEMPLATES[collection], warned)


def _pod(proposal: Proposal, enforced: Standard, warned: Standard) -> None:
    if proposal.old is not None and proposal.old.get("spec") == proposal.object.get("spec"):
        return
    found = violations(enforced.level, proposal.object)
    if found:
        raise proposal.refused(f'violates PodSecurity "{enforced}": {_joined(found)}')
    found = violations(warned.level, proposal.object)
    if found:
        proposal.warn(f'would violate PodSecurity "{warned}": {_joined(found)}')


def _template(proposal: Proposal, path: tuple[str, ...], warned: Standard) -> None:
    template = path_of(proposal.object, *path)
    if not isinstance(template, dict) or (proposal.old and path_of(proposal.old, *path) == template):
        return
    found = violations(warned.level, template)
    if found:
        proposal.warn(f'would violate PodSecurity "{warned}": {_joined(found)}')


def _joined(found: list[Violation]) -> str:
    return ", ".join(str(each) for each in found)


def _namespace(proposal: Proposal, cache: WatchCache) -> None:
    labels: dict[str, str] = proposal.object["metadata"].get("labels") or {}
    before: dict[str, str] = (proposal.old or {"metadata": {}})["metadata"].get("labels") or {}
    if labels == before:
        return
    wrong = [
        invalid(f"metadata.labels[{mode}]", labels[mode], f"must be one of {', '.join(_ORDER)}")
        for mode in (_ENFORCE, _AUDIT, _WARN)
        if mode in labels and labels[mode] not in LEVELS
    ]
    if wrong:
        raise invalid_object("Namespace", "", proposal.name, wrong)
    now, then = standard(labels, _ENFORCE), standard(before, _ENFORCE)
    if proposal.old is not None and _ORDER.index(now.level) > _ORDER.index(then.level):
        _warn_of_pods(proposal, cache, now)


def _warn_of_pods(proposal: Proposal, cache: WatchCache, now: Standard) -> None:
    by_reason: dict[str, list[str]] = {}
    for entry in cache.collection(_PODS).select(proposal.name):
        found = violations(now.level, entry.object)
        if found:
            by_reason.setdefault(", ".join(each.reason for each in found), []).append(entry.name)
    if not by_reason:
        return
    proposal.warn(f'existing pods in namespace "{proposal.name}" violate the new PodSecurity enforce level "{now}"')
    for reasons, names in sorted(by_reason.items(), key=lambda each: each[1][0]):
        proposal.warn(f"{_few(names)}: {reasons}")


def _few(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{names[0]} (and {others} other {'pod' if others == 1 else 'pods'})"
