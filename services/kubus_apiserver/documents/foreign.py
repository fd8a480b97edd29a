"""Group versions that somebody else serves, as the documents show them.

An extension apiserver tells of its resources in the legacy form, an APIResourceList; the aggregated discovery document
says the same with subresources under their resource. What it says is not trusted: whatever is no resource is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kubus.model.objects import Object
from kubus_apiserver.documents.priorities import Priority


class Foreign(NamedTuple):
    """One group version of an extension apiserver."""

    group: str
    version: str
    priority: Priority
    resources: tuple[Object, ...] = ()
    """Of its APIResourceList, as last heard."""
    fresh: bool = True
    """Whether it could be asked lately."""
    digest: str = ""
    """Of its OpenAPI document; "" where it has none."""
    document: Object | None = None
    """Its OpenAPI v3 document."""


Foreigners = Callable[[], Sequence[Foreign]]
"""Those that there are now."""


def nobody() -> Sequence[Foreign]:
    """Without aggregation."""
    return ()


def aggregated_resources(foreign: Foreign) -> list[Object]:
    """The resources in the form of aggregated discovery."""
    found: dict[str, Object] = {}
    for each in foreign.resources:
        name = each.get("name")
        if isinstance(name, str) and "/" not in name:
            found[name] = _resource(foreign, each)
    for each in foreign.resources:
        name, _, sub = str(each.get("name") or "").partition("/")
        if sub and name in found:
            found[name].setdefault("subresources", []).append(_subresource(foreign, sub, each))
    return list(found.values())


def _resource(foreign: Foreign, each: Object) -> Object:
    nicknames = {key: each[key] for key in ("shortNames", "categories") if each.get(key)}
    return {
        "resource": each["name"],
        "responseKind": _kind(foreign, each),
        "scope": "Namespaced" if each.get("namespaced") else "Cluster",
        "singularResource": each.get("singularName") or str(each.get("kind") or "").lower(),
        "verbs": each.get("verbs") or [],
        **nicknames,
    }


def _subresource(foreign: Foreign, name: str, each: Object) -> Object:
    return {"subresource": name, "responseKind": _kind(foreign, each), "verbs": each.get("verbs") or []}


def _kind(foreign: Foreign, each: Object) -> dict[str, Any]:
    group, version = each.get("group") or foreign.group, each.get("version") or foreign.version
    return {"group": group, "version": version, "kind": each.get("kind") or ""}
