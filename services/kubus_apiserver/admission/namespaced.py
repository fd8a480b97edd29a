"""What the objects of a collection come to, by namespace: rules prepared once, not at every write.

A plug-in that has nothing to do in a namespace has to find that out at the cost of a look-up or two. So the objects of
its collection are prepared when somebody first asks after they changed, each object once a revision, and
kept by namespace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import Collection, WatchCache

T = TypeVar("T")


class Namespaced(Generic[T]):
    """Prepared objects of one collection."""

    def __init__(self, collection: str, prepare: Callable[[Entry], T]) -> None:
        self._name = collection
        self._prepare = prepare
        self._collection: Collection | None = None
        self._revision = 0
        self._found: dict[str, tuple[T, ...]] = {}
        self._prepared: dict[tuple[str, str], tuple[int, T]] = {}

    def of(self, cache: WatchCache, namespace: str = "") -> tuple[T, ...]:
        """Those of a namespace ("" for a collection of the whole cluster) in the order of their names."""
        collection = cache.collection(self._name)
        if collection is not self._collection or collection.revision != self._revision:
            self._collection, self._revision = collection, collection.revision
            self._found = {}
            for key in [each for each in self._prepared if each not in collection.entries]:
                del self._prepared[key]
        if not collection.entries:
            return ()
        found = self._found.get(namespace)
        if found is None:
            found = tuple(self._of_entry(entry) for entry in collection.select(namespace))
            self._found[namespace] = found
        return found

    def _of_entry(self, entry: Entry) -> T:
        key = (entry.namespace, entry.name)
        known = self._prepared.get(key)
        if known is None or known[0] != entry.revision:
            known = self._prepared[key] = (entry.revision, self._prepare(entry))
        return known[1]
