"""Discovery: what the server tells clients about its groups, versions and resources.

Two dialects say the same: the legacy documents (`/api`, `/apis`, one APIResourceList a group version) and the
aggregated ones (`/api` and `/apis` as `apidiscovery.k8s.io` `v2` or `v2beta1`). Everything follows from the registry
and from what extension apiservers tell of theirs; these are pure functions.

Order matters to clients: kubectl takes the first group that has a short name, the first version is preferred.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from kubus.model.kinds import Kind, Registry
from kubus.model.objects import Object
from kubus_apiserver.documents.foreign import Foreign, aggregated_resources
from kubus_apiserver.documents.priorities import CUSTOM, built_in, ordered
from kubus_apiserver.documents.subresources import Subresource, subresources

_STORAGE_HASH_BYTES = 8
"""Of a SHA-256, as in Kubernetes."""


def groups(registry: Registry, foreign: Sequence[Foreign] = ()) -> dict[str, list[str]]:
    """The versions of every group that is served, both in the order in which clients shall try them."""
    found = {
        (kind.group, kind.version): CUSTOM if kind.custom is not None else built_in(kind.group, kind.version)
        for kind in registry
    }
    return ordered(found | {(each.group, each.version): each.priority for each in foreign})


def kinds_of(registry: Registry, group: str, version: str) -> list[Kind]:
    """The kinds of a group version, by plural."""
    found = [kind for kind in registry if kind.group == group and kind.version == version]
    return sorted(found, key=lambda kind: kind.plural)


_PATHS = ("/.well-known/openid-configuration", "/metrics", "/openapi/v2", "/openapi/v3", "/openid/v1/jwks", "/version")


def paths(registry: Registry, checks: Iterable[str]) -> list[str]:
    """Where there is something to read: the answer to `/`."""
    found = {*_PATHS, "/api", "/apis", *(kind.path for kind in registry)}
    found |= {f"/apis/{kind.group}" for kind in registry if kind.group}
    for health in ("/healthz", "/livez", "/readyz"):
        found |= {health, *(f"{health}/{each}" for each in (("ping",) if health == "/livez" else checks))}
    return sorted(found)


def api_versions(server_address: str) -> Object:
    """`/api`."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def api_group_list(registry: Registry, foreign: Sequence[Foreign] = ()) -> Object:
    """`/apis`."""
    listed = [_group(group, versions) for group, versions in groups(registry, foreign).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def api_group(registry: Registry, group: str, foreign: Sequence[Foreign] = ()) -> Object | None:
    """`/apis/<group>`; None if there is no such group."""
    versions = groups(registry, foreign).get(group)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)} if versions else None


def _group(group: str, versions: list[str]) -> Object:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def api_resource_list(registry: Registry, group: str, version: str) -> Object | None:
    """`/api/v1`, `/apis/<group>/<version>`; None if there is no such group version."""
    resources: list[Object] = []
    for kind in kinds_of(registry, group, version):
        resources.append(_legacy_resource(registry, kind))
        resources += [_legacy_subresource(kind, each) for each in subresources(kind)]
    if not resources:
        return None
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}


def _legacy_resource(registry: Registry, kind: Kind) -> Object:
    return {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": sorted(kind.verbs),
        **_nicknames(kind),
        **({"storageVersionHash": storage_version_hash(registry, kind)} if "watch" in kind.verbs else {}),
    }


def storage_version_hash(registry: Registry, kind: Kind) -> str:
    """A short hash of the version in which a kind's objects are stored, by which clients see that it has changed."""
    if kind.custom is not None:
        stored = f"{kind.group}/{kind.custom.storage_version}/{kind.name}"
    else:
        first = registry[kind.collection]
        stored = f"{first.group}/{first.version}/{first.name}"
    digest = hashlib.sha256(stored.encode()).digest()
    return base64.b64encode(digest[:_STORAGE_HASH_BYTES]).decode()


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


def aggregated(registry: Registry, *, core: bool, version: str = "v2", foreign: Sequence[Foreign] = ()) -> Object:
    """`/api` (core) or `/apis` as an APIGroupDiscoveryList; version `v2` or `v2beta1`."""
    others = {(each.group, each.version): each for each in foreign}
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None},
            "versions": [_version(registry, group, each, others.get((group, each))) for each in versions],
        }
        for group, versions in groups(registry, foreign).items()
        if (group == "") == core
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _version(registry: Registry, group: str, version: str, foreign: Foreign | None) -> Object:
    if foreign is None:
        resources, fresh = [_resource(kind) for kind in kinds_of(registry, group, version)], True
    else:
        resources, fresh = aggregated_resources(foreign), foreign.fresh
    return {"version": version, "resources": resources, "freshness": "Current" if fresh else "Stale"}


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
