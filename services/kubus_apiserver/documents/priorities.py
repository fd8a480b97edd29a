"""In which order clients shall try groups and versions: the priorities of APIServices.

A group is as high as the highest of its versions' `groupPriorityMinimum`; versions go by `versionPriority`, and then v2
before v1 before v1beta2. The numbers of built-in groups are kube-apiserver's, those of custom resources are the same
for all. Pure.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/api-service-v1/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Priority(NamedTuple):
    """Of a group version."""

    group: int
    version: int


CUSTOM = Priority(1000, 100)
"""Of custom resources, and of built-in groups that the table does not name."""
_FIRST = 20_000
_GROUPS = {
    "apiregistration.k8s.io": _FIRST,
    "": 18_000,
    "apps": 17_800,
    "events.k8s.io": 17_750,
    "authentication.k8s.io": 17_700,
    "authorization.k8s.io": 17_600,
    "autoscaling": 17_500,
    "batch": 17_400,
    "certificates.k8s.io": 17_300,
    "networking.k8s.io": 17_200,
    "policy": 17_100,
    "rbac.authorization.k8s.io": 17_000,
    "storage.k8s.io": 16_800,
    "admissionregistration.k8s.io": 16_700,
    "apiextensions.k8s.io": 16_700,
    "scheduling.k8s.io": 16_600,
    "coordination.k8s.io": 16_500,
    "node.k8s.io": 16_300,
    "discovery.k8s.io": 16_200,
    "flowcontrol.apiserver.k8s.io": 16_100,
    "internal.apiserver.k8s.io": 16_000,
    "resource.k8s.io": 15_900,
    "storagemigration.k8s.io": 15_800,
}
_VERSIONS = {("", "v1"): 1, ("autoscaling", "v2"): 30, ("flowcontrol.apiserver.k8s.io", "v1"): 21}
_STABLE, _BETA, _ALPHA = 15, 9, 1
_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")


def built_in(group: str, version: str) -> Priority:
    """The priority of a built-in group version."""
    if group not in _GROUPS:
        return CUSTOM
    usual = _ALPHA if "alpha" in version else _BETA if "beta" in version else _STABLE
    return Priority(_GROUPS[group], _VERSIONS.get((group, version), usual))


def version_priority(version: str) -> tuple[int, int, int, str]:
    """A sort key that puts v2 before v1, v1 before v1beta2 and all before names of other shapes."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (1, 0, 0, version)
    major, level, minor = int(found[1]), found[2], int(found[3] or 0)
    return (0, {None: 0, "beta": 1, "alpha": 2}[level], -(major * 10_000 + minor), version)


def ordered(versions: Mapping[tuple[str, str], Priority]) -> dict[str, list[str]]:
    """The groups with their versions, both in order."""
    found: dict[str, list[str]] = {}
    for group, version in versions:
        found.setdefault(group, []).append(version)

    def height(group: str) -> tuple[int, str]:
        return (-max(versions[group, version].group for version in found[group]), group)

    return {group: _by_priority(group, found[group], versions) for group in sorted(found, key=height)}


def _by_priority(group: str, names: Iterable[str], versions: Mapping[tuple[str, str], Priority]) -> list[str]:
    return sorted(names, key=lambda version: (-versions[group, version].version, version_priority(version)))
