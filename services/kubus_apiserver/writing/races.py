"""Changes of objects that others change too: tried on the cached object first, and again on whatever won.

The common case asks the store once, in its transaction. Whatever the cache alone suggests but a client must be able to
rely on (the object is missing, a precondition fails, nothing changes) is confirmed with the store before it is said.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from kubus.model.errors import StatusError, conflict, not_found
from kubus.store import Conflict, Store
from kubus_apiserver.calls import Target
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.reads import read_fresh, readable_entry
from kubus_apiserver.reading.watchcache import WatchCache

TRIES = 8
Done = TypeVar("Done")


class Stale(Exception):
    """The cached object may be old, and what was to be said of it needs a fresh one."""


async def on_newest(
    store: Store,
    cache: WatchCache,
    target: Target,
    attempt: Callable[[Entry, bool], Awaitable[Done]],
    *,
    revision: str = "",
) -> Done:
    """What an attempt makes of the newest state of an object; with `revision`, only if it still stands at that one.

    The attempt is told whether its object comes fresh from the store.

    Raises:
        StatusError: 404, 409, 500 for an object that cannot be read, and what the attempt raises of a fresh object.
    """
    kind, key = target.kind, target.key
    current, fresh = cache.get(key), False
    for _ in range(TRIES):
        if current is None or (revision and not fresh and revision != str(current.revision)):
            current, fresh = await read_fresh(store, key), True
        if current is None:
            raise not_found(kind.plural, kind.group, target.name)
        if revision and revision != str(current.revision):
            raise conflict(kind.plural, kind.group, target.name)
        try:
            return await attempt(current, fresh)
        except Stale:
            current, fresh = await read_fresh(store, key), True
        except Conflict as lost:
            if lost.current is None:
                raise not_found(kind.plural, kind.group, target.name) from None
            current, fresh = readable_entry(key, lost.current), True
        except StatusError:
            newest = current if fresh else await read_fresh(store, key)
            if newest is not None and newest.revision == current.revision:
                raise
            current, fresh = newest, True
    raise conflict(kind.plural, kind.group, target.name)
