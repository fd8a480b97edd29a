"""Caches: what reconcilers look at, found by key, namespace, owner and declared indexes.

A cache holds one collection and is changed only by `apply`. Its objects are shared by everyone who reads them and
are never edited. Every index is a dict of dicts (value → key → object), in the order of arrival, so that looking up
costs as much as there is to find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from kubus.machinery.reflector import Changed
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object, metadata

Values = Callable[[Object], list[str]]
"""The values under which an index finds an object."""
_Found = dict[Key, Object]


class Cache:
    """One collection, indexed."""

    def __init__(self, collection: str) -> None:
        self.collection = collection
        self.revision = 0
        """Everything up to this revision is in the cache."""
        self.filled_at = 0.0
        """When it was last filled from a listing, by a clock that never jumps."""
        self._objects: _Found = {}
        self._changed_at: dict[Key, float] = {}
        self._namespaces: dict[str, _Found] = {}
        self._owners: dict[str, _Found] = {}
        self._indexes: dict[str, tuple[Values, dict[str, _Found]]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._objects.values()))

    def add_index(self, name: str, values: Values) -> None:
        """Find objects also by the values of a function. The same name again replaces the function.

        A name shared by two controllers must mean the same to both.
        """
        entries: dict[str, _Found] = {}
        self._indexes[name] = values, entries
        for key, obj in self._objects.items():
            _enter(entries, values(obj), key, obj)

    def apply(self, changed: Changed, at: float = 0.0) -> None:
        """Take a change over, at a time of a clock that never jumps.

        Nothing is changed if an index function fails on the object.
        """
        key, obj, before = changed.key, changed.object, self._objects.get(changed.key)
        found = [] if changed.change == "deleted" else [values(obj) for values, _ in self._indexes.values()]
        if before is not None:
            self._remove(key, before)
        if changed.change == "deleted":
            return
        self._objects[key] = obj
        self._changed_at[key] = at
        _enter(self._namespaces, (key.namespace,), key, obj)
        _enter(self._owners, owner_uids(obj), key, obj)
        for values, (_, entries) in zip(found, self._indexes.values(), strict=True):
            _enter(entries, values, key, obj)

    def at(self, key: Key) -> Object | None:
        """The object of a key."""
        return self._objects.get(key)

    def get(self, namespace: str, name: str) -> Object | None:
        """The object of a namespace ("" for none) and name."""
        return self._objects.get(Key(self.collection, namespace, name))

    def owned(self, owner_uid: str) -> list[Object]:
        """Objects with an owner reference to this uid."""
        return [*self._owners.get(owner_uid, {}).values()]

    def indexed(self, index: str, value: str) -> list[Object]:
        """Objects for which an index gave this value.

        Raises:
            KeyError: there is no index of this name.
        """
        return [*self._indexes[index][1].get(value, {}).values()]

    def last_news(self, namespace: str, name: str) -> float | None:
        """When the object last changed, or the cache was last filled; None if there is no such object."""
        changed_at = self._changed_at.get(Key(self.collection, namespace, name))
        return None if changed_at is None else max(changed_at, self.filled_at)

    def list(self, namespace: str | None = None) -> list[Object]:
        """All objects, or those of a namespace."""
        found = self._objects if namespace is None else self._namespaces.get(namespace, {})
        return [*found.values()]

    def _remove(self, key: Key, obj: Object) -> None:
        del self._objects[key]
        del self._changed_at[key]
        _leave(self._namespaces, (key.namespace,), key)
        _leave(self._owners, owner_uids(obj), key)
        for values, entries in self._indexes.values():
            _leave(entries, values(obj), key)


class Caches:
    """The caches of several collections: the `View` of reconcilers."""

    def __init__(self, caches: Mapping[str, Cache], monotonic: Callable[[], float]) -> None:
        self._caches = caches
        self._monotonic = monotonic
        self._custom: tuple[Kind, ...] = ()

    def custom_kinds(self) -> tuple[Kind, ...]:
        """See `View.custom_kinds`."""
        return self._custom

    def set_custom_kinds(self, kinds: tuple[Kind, ...]) -> None:
        """These are the custom kinds now."""
        self._custom = kinds

    def cache(self, collection: str) -> Cache | None:
        """The cache of a collection, if it is cached."""
        return self._caches.get(collection)

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """See `View.get`."""
        return self._caches[kind.collection].get(namespace, name)

    def owned(self, kind: Kind, owner_uid: str) -> list[Object]:
        """See `View.owned`."""
        return self._caches[kind.collection].owned(owner_uid)

    def indexed(self, kind: Kind, index: str, value: str) -> list[Object]:
        """See `View.indexed`."""
        return self._caches[kind.collection].indexed(index, value)

    def quiet_for(self, kind: Kind, namespace: str, name: str) -> timedelta | None:
        """See `View.quiet_for`."""
        last_news = self._caches[kind.collection].last_news(namespace, name)
        return None if last_news is None else timedelta(seconds=self._monotonic() - last_news)

    def list(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """See `View.list`."""
        return self._caches[kind.collection].list(namespace)


def owner_uids(obj: Object) -> tuple[str, ...]:
    """The uids that an object's owner references name."""
    references = metadata(obj).get("ownerReferences")
    return tuple([reference.get("uid", "") for reference in references]) if references else ()


def _enter(entries: dict[str, _Found], values: list[str] | tuple[str, ...], key: Key, obj: Object) -> None:
    for value in values:
        entries.setdefault(value, {})[key] = obj


def _leave(entries: dict[str, _Found], values: list[str] | tuple[str, ...], key: Key) -> None:
    for value in values:
        found = entries.get(value)
        if found is not None and found.pop(key, None) is not None and not found:
            del entries[value]
