"""The life cycle of namespaces: nothing is created in one that is missing or ending.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle
"""

from __future__ import annotations

from kubus.model.errors import StatusError, forbidden, not_found
from kubus.model.kinds import Kind
from kubus.model.objects import Key
from kubus.store import Store
from kubus_apiserver.reading.reads import read_fresh
from kubus_apiserver.reading.watchcache import WatchCache

NAMESPACES = "namespaces.core"


async def check_namespace(store: Store, cache: WatchCache, kind: Kind, namespace: str, name: str) -> None:
    """Refuse a creation in a namespace that is missing or ending; ask the store only where the cache has none.

    Raises:
        StatusError: 404 it is missing, 403 it is ending.
    """
    key = Key(NAMESPACES, "", namespace)
    entry = cache.get(key) or await read_fresh(store, key)
    if entry is None:
        raise not_found("namespaces", "", namespace)
    if entry.object["metadata"].get("deletionTimestamp"):
        raise terminating(kind, namespace, name)


def terminating(kind: Kind, namespace: str, name: str) -> StatusError:
    """Nothing new in a namespace that is ending; controllers look for the cause."""
    detail = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = forbidden(kind.plural, kind.group, name, detail)
    message = f"namespace {namespace} is being terminated"
    error.details["causes"] = [{"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}]
    return error
