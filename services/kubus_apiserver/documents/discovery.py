"""Discovery: what the server tells clients about its groups, versions and resources.

Two dialects say the same: the legacy documents (`/api`, `/apis`, one APIResourceList a group version) and the
aggregated ones (`/api` and `/apis` as `apidiscovery.k8s.io` `v2` or `v2beta1`). Everything follows from the registry;
these are pure functions, and whoever serves them may cache by `registry.generation`.

Order matters to clients: kubectl takes the first group that has a short name, the first version is preferred.
"""

from __future__ import annotations

import re
from typing import Any

from kubus.model.kinds import Kind, Registry
from kubus.model.objects import Object
from kubus_apiserver.documents.subresources import Subresource, subresources

_GROUP_ORDER = (
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
)
_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")


def version_priority(version: str) -> tuple[int, int, int, str]:
    """A sort key that puts v2 before v1, v1 before v1beta2 and all before names of other shapes."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (1, 0, 0, version)
    major, level, minor = int(found[1]), found[2], int(found[3] or 0)
    return (0, {None: 0, "beta": 1, "alpha": 2}[level], -(major * 10_000 + minor), version)


def groups(registry: Registry) -> dict[str, list[str]]:
    """The versions of every group that is served, both in the order in which clients shall try them."""
    found: dict[str, set[str]] = {}
    for kind in registry:
        found.setdefault(kind.group, set()).add(kind.version)
    known = {group: place for place, group in enumerate(_GROUP_ORDER)}
    ordered = sorted(found, key=lambda group: (known.get(group, len(known)), group))
    return {group: sorted(found[group], key=version_priority) for group in ordered}


def kinds_of(registry: Registry, group: str, version: str) -> list[Kind]:
    """The kinds of a group version, by plural."""
    found = [kind for kind in registry if kind.group == group and kind.version == version]
    return sorted(found, key=lambda kind: kind.plural)


def api_versions(server_address: str) -> Object:
    """`/api`."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def api_group_list(registry: Registry) -> Object:
    """`/apis`."""
    listed = [_group(group, versions) for group, versions in groups(registry).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def api_group(registry: Registry, group: str) -> Object | None:
    """`/apis/<group>`; None if there is no such group."""
    versions = groups(registry).get(group)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)} if versions else None


def _group(group: str, versions: list[str]) -> Object:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def api_resource_list(registry: Registry, group: str, version: str) -> Object | None:
    """`/api/v1`, `/apis/<group>/<version>`; None if there is no such group version."""
    resources: list[Object] = []
    for kind in kinds_of(registry, group, version):
        resources.append(_legacy_resource(kind))
        resources += [_legacy_subresource(kind, each) for each in subresources(kind)]
    if not resources:
        return None
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}


def _legacy_resource(kind: Kind) -> Object:
    return {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": sorted(kind.verbs),
        **_nicknames(kind),
    }


def _legacy_subresource(kind: Kind, sub: Subresource) -> Object:
    foreign = (sub.group, sub.version) != (kind.group, kind.version)
    return {
        "name": f"{kind.plural}/{sub.name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        **({"group": sub.group, "version": sub.version} if foreign else {}),
        "kind": sub.kind,
        "verbs": list(sub.verbs),
    }


def _nicknames(kind: Kind) -> Object:
    found: Object = {}
    if kind.short_names:
        found["shortNames"] = list(kind.short_names)
    if kind.categories:
        found["categories"] = list(kind.categories)
    return found


def aggregated(registry: Registry, *, core: bool, version: str = "v2") -> Object:
    """`/api` (core) or `/apis` as an APIGroupDiscoveryList; version `v2` or `v2beta1`."""
    items = [
        {"metadata": {"name": group, "creationTimestamp": None}, "versions": _versions(registry, group, versions)}
        for group, versions in groups(registry).items()
        if (group == "") == core
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _versions(registry: Registry, group: str, versions: list[str]) -> list[Object]:
    return [
        {
            "version": version,
            "resources": [_resource(kind) for kind in kinds_of(registry, group, version)],
            "freshness": "Current",
        }
        for version in versions
    ]


def _resource(kind: Kind) -> Object:
    subs = [_aggregated_subresource(each) for each in subresources(kind)]
    return {
        "resource": kind.plural,
        "responseKind": _response_kind(kind.group, kind.version, kind.name),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": sorted(kind.verbs),
        **_nicknames(kind),
        **({"subresources": subs} if subs else {}),
    }


def _aggregated_subresource(sub: Subresource) -> Object:
    return {
        "subresource": sub.name,
        "responseKind": _response_kind(sub.group, sub.version, sub.kind),
        "verbs": list(sub.verbs),
    }


def _response_kind(group: str, version: str, kind: str) -> dict[str, Any]:
    return {"group": group, "version": version, "kind": kind}
