"""PodSecurity: a namespace's labels say which standard its pods have to meet, and of which they only hear.

`enforce` refuses pods, `warn` tells the client and `audit` the audit log, also of the templates of Deployments and the
like, which are never refused. Each names a level and a version. An update of a pod is looked at if it changes what
runs. Who tightens a namespace's `enforce` is told which of its pods would not pass.

https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kubus.model.errors import FieldError, invalid, invalid_object
from kubus.model.objects import Key, Object, path_of
from kubus.model.pod_templates import TEMPLATE_PATHS
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.pod_standard_versions import LEVELS, is_version, violations
from kubus_apiserver.admission.pod_standards import Violation
from kubus_apiserver.reading.watchcache import WatchCache

_PREFIX = "pod-security.kubernetes.io/"
_ENFORCE, _WARN, _AUDIT = f"{_PREFIX}enforce", f"{_PREFIX}warn", f"{_PREFIX}audit"
_MODES = frozenset({_ENFORCE, _WARN, _AUDIT})
_UNRESTRICTED = "privileged:latest"
_PODS, _NAMESPACES = "pods.core", "namespaces.core"
_ENFORCED, _AUDITED, _ERROR = f"{_PREFIX}enforce-policy", f"{_PREFIX}audit-violations", f"{_PREFIX}error"
"""Keys in the audit log."""
_PODS_MAX = 3_000
"""How many pods of a namespace are looked at when it tightens."""
_CHECKED_SUBRESOURCES = ("", "ephemeralcontainers")


class Standard(NamedTuple):
    """A level and the version that a namespace names."""

    level: str = "privileged"
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


def standard(labels: Mapping[str, str], mode: str) -> Standard:
    """What a namespace says for a mode; something unknown means the strictest, in the latest version."""
    level, version = labels.get(mode), labels.get(f"{mode}-version") or "latest"
    known = level if level in LEVELS or level is None else LEVELS[-1]
    return Standard(known or LEVELS[0], version if is_version(version) else "latest")


def label_errors(labels: Mapping[str, str]) -> list[FieldError]:
    """What is wrong with the labels of a namespace."""
    errors: list[FieldError] = []
    for mode in (_ENFORCE, _AUDIT, _WARN):
        if labels.get(mode, LEVELS[0]) not in LEVELS:
            errors.append(invalid(f"metadata.labels[{mode}]", labels[mode], f"must be one of {', '.join(LEVELS)}"))
        version = labels.get(f"{mode}-version", "latest")
        if not is_version(version):
            path = f"metadata.labels[{mode}-version]"
            errors.append(invalid(path, version, 'must be "latest" or "v1.x"'))
    return errors


def pod_security(proposal: Proposal, cache: WatchCache) -> None:
    """Refuse, warn, or tell the audit log.

    Raises:
        StatusError: 403, a pod does not meet what is enforced; 422, a namespace's labels name no level.
    """
    collection = proposal.kind.collection
    if proposal.verb not in ("create", "update") or proposal.subresource not in _CHECKED_SUBRESOURCES:
        return
    if collection == _NAMESPACES:
        _namespace(proposal, cache)
        return
    if (collection != _PODS and collection not in TEMPLATE_PATHS) or proposal.is_foreign:
        return
    entry = cache.get(Key(_NAMESPACES, "", proposal.namespace))
    labels = (entry.object["metadata"].get("labels") or {}) if entry is not None else {}
    if collection == _PODS:
        _pod(proposal, labels)
    elif not _MODES.isdisjoint(labels):
        template = path_of(proposal.object, *TEMPLATE_PATHS[collection])
        if isinstance(template, dict):
            _tell(proposal, labels, template, {})


def _pod(proposal: Proposal, labels: Mapping[str, str]) -> None:
    if _MODES.isdisjoint(labels):
        proposal.annotate(_ENFORCED, _UNRESTRICTED)
        return
    enforced = standard(labels, _ENFORCE)
    proposal.annotate(_ENFORCED, str(enforced))
    if proposal.old is not None and not _is_significant(proposal.object, proposal.old):
        return
    found = violations(enforced.level, proposal.object, enforced.version)
    _tell(proposal, labels, proposal.object, {enforced: found})
    if found:
        raise proposal.refused(f'violates PodSecurity "{enforced}": {_joined(found)}')


def _tell(proposal: Proposal, labels: Mapping[str, str], pod: Object, known: dict[Standard, list[Violation]]) -> None:
    """Tell the audit log, and the client unless the pod is refused anyway."""
    wrong = label_errors(labels)
    if wrong:
        said = f"[{', '.join(str(each) for each in wrong)}]" if len(wrong) > 1 else str(wrong[0])
        proposal.annotate(_ERROR, f"Failed to parse policy: {said}")
    refused = any(known.values())
    for mode in (_AUDIT, _WARN):
        wanted = standard(labels, _ENFORCE if mode == _WARN and mode not in labels else mode)
        if wanted not in known:
            known[wanted] = violations(wanted.level, pod, wanted.version)
        if not known[wanted]:
            continue
        words = f'would violate PodSecurity "{wanted}": {_joined(known[wanted])}'
        if mode == _AUDIT:
            proposal.annotate(_AUDITED, words)
        elif not refused:
            proposal.warn(words)


def _is_significant(pod: Object, old: Object) -> bool:
    """Whether an update changes what runs: containers come, or have other images."""

    def images(obj: Object, field: str) -> dict[str, str]:
        return {each["name"]: each.get("image") or "" for each in path_of(obj, "spec", field, default=())}

    fields = ("containers", "initContainers", "ephemeralContainers")
    return any(images(pod, field) != images(old, field) for field in fields)


def _joined(found: list[Violation]) -> str:
    return ", ".join(str(each) for each in found)


def _namespace(proposal: Proposal, cache: WatchCache) -> None:
    labels: dict[str, str] = proposal.object["metadata"].get("labels") or {}
    before: dict[str, str] = (proposal.old or {"metadata": {}})["metadata"].get("labels") or {}
    if labels == before:
        return
    wrong = label_errors(labels)
    if wrong and wrong != label_errors(before):
        raise invalid_object("Namespace", "", proposal.name, wrong)
    now, then = standard(labels, _ENFORCE), standard(before, _ENFORCE)
    if proposal.old is None or now == then or now.level == LEVELS[0]:
        return
    if now.version != then.version or LEVELS.index(now.level) > LEVELS.index(then.level):
        _warn_of_pods(proposal, cache, now)


def _warn_of_pods(proposal: Proposal, cache: WatchCache, now: Standard) -> None:
    by_reason: dict[str, list[str]] = {}
    pods = list(cache.collection(_PODS).select(proposal.name))
    for entry in pods[:_PODS_MAX]:
        found = violations(now.level, entry.object, now.version)
        if found:
            by_reason.setdefault(", ".join(each.reason for each in found), []).append(entry.name)
    if len(pods) > _PODS_MAX:
        checked = f"only checked against the first {_PODS_MAX} of {len(pods)} existing pods"
        proposal.warn(f"new PodSecurity enforce level {checked}")
    if not by_reason:
        return
    proposal.warn(f'existing pods in namespace "{proposal.name}" violate the new PodSecurity enforce level "{now}"')
    for words in sorted(f"{_few(names)}: {reasons}" for reasons, names in by_reason.items()):
        proposal.warn(words)


def _few(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{names[0]} (and {others} other {'pod' if others == 1 else 'pods'})"
