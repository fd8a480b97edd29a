"""Fences: a leader's writes succeed only while it leads.

A leader names its Lease, itself and its term (`leaseTransitions`) in each write. If the cached Lease agrees, the
transaction compares the Lease's revision, so that a leader deposed a moment ago cannot write, whatever it
believes.
"""

from __future__ import annotations

from kubus.model.errors import StatusError, conflict
from kubus.model.objects import Key, path_of
from kubus.model.records import store_key
from kubus.store import Fence
from kubus_apiserver.reading.watchcache import WatchCache

LEASES = "leases.coordination.k8s.io"


def fence_of(cache: WatchCache, wanted: tuple[str, str, str, int]) -> Fence | None:
    """The fence for (namespace, name, holder, transitions); None where the cached Lease says otherwise."""
    namespace, name, holder, transitions = wanted
    key = Key(LEASES, namespace, name)
    entry = cache.get(key)
    if entry is None or path_of(entry.object, "spec", "holderIdentity") != holder:
        return None
    if int(path_of(entry.object, "spec", "leaseTransitions", default=0)) != transitions:
        return None
    return Fence(store_key(key), entry.revision)


def lost(wanted: tuple[str, str, str, int]) -> StatusError:
    """409: somebody else leads, or the same holder in a later term."""
    namespace, name, _, _ = wanted
    return conflict("leases", "coordination.k8s.io", name, f"leadership of {namespace}/{name} was lost")
