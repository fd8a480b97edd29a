"""APIServices of what is served here, as they should be. Pure.

Every built-in group version has one with the label `kube-aggregator.kubernetes.io/automanaged: onstart`, every version
of a custom resource one with `true`. Who takes the label away has the object to themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubus.model.kinds import Registry
from kubus.model.objects import Object, labels_of
from kubus_apiserver.documents.priorities import CUSTOM, built_in

AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
ON_START, ALWAYS = "onstart", "true"
_OWN_GROUP = "apiregistration.k8s.io"
"""Has no APIService: it is what serves them."""


def name_of_version(group: str, version: str) -> str:
    """The name of a group version's APIService: `v1.apps`, `v1.` for the core group."""
    return f"{version}.{group}"


def local_services(registry: Registry) -> dict[str, Object]:
    """Every APIService of what is served here, by name."""
    custom: dict[tuple[str, str], bool] = {}
    for kind in registry:
        if kind.group != _OWN_GROUP:
            key = kind.group, kind.version
            custom[key] = kind.custom is not None and custom.get(key, True)
    return {name_of_version(*key): _service(*key, custom=each) for key, each in custom.items()}


def _service(group: str, version: str, *, custom: bool) -> Object:
    priority = CUSTOM if custom else built_in(group, version)
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {
            "name": name_of_version(group, version),
            "labels": {AUTOMANAGED: ALWAYS if custom else ON_START},
        },
        "spec": {
            "group": group,
            "version": version,
            "groupPriorityMinimum": priority.group,
            "versionPriority": priority.version,
        },
    }


def differences(wanted: Mapping[str, Object], there: Mapping[str, Object]) -> tuple[list[str], list[str], list[str]]:
    """Names of APIServices to create, to write anew, and to delete."""
    missing = [name for name in wanted if name not in there]
    wrong = [
        name for name, each in wanted.items() if name in there and _is_ours(there[name]) and _differs(each, there[name])
    ]
    stale = [name for name, each in there.items() if name not in wanted and labels_of(each).get(AUTOMANAGED) == ALWAYS]
    return missing, wrong, stale


def corrected(wanted: Object, there: Object) -> Object:
    """The object that is there, as it should be."""
    labels = {**labels_of(there), **labels_of(wanted)}
    return {**there, "metadata": {**there["metadata"], "labels": labels}, "spec": wanted["spec"]}


def _is_ours(there: Object) -> bool:
    return AUTOMANAGED in labels_of(there)


def _differs(wanted: Object, there: Object) -> bool:
    return bool(there.get("spec") != wanted["spec"] or labels_of(there)[AUTOMANAGED] != labels_of(wanted)[AUTOMANAGED])
