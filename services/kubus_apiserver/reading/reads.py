"""Gets and lists, from the cache.

A read without a resourceVersion is consistent: it waits until the cache has every write acknowledged so far.
`resourceVersion=0` takes the cache as it is; any other waits until the cache is at least as new. Lists in pages
are all of one revision: the pages after the first come from the list that the first was cut from, and where that
is no longer remembered (another process gave it, or many lists are going on) from the store at that revision. Who
takes too long between pages is told 410, and may go on with what there is then.

The rules follow https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError, gone, internal, not_found
from kubus.model.objects import Key
from kubus.model.records import collection_prefix, parse_store_key, split_record, store_key
from kubus.model.stored_objects import decode_object
from kubus.model.times import Clock
from kubus.store import Compacted, FutureRevision, Store, Stored
from kubus_apiserver.calls import ReadOptions, Target
from kubus_apiserver.conversions import Conversions
from kubus_apiserver.reading.continuations import LASTS_SECONDS, LATEST, Token, decode_token, encode_token
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.follower import Freshness
from kubus_apiserver.reading.list_options import check_list_options, parse_revision
from kubus_apiserver.reading.selection import Selection, selection
from kubus_apiserver.reading.watchcache import WatchCache

EXPIRED = "The resourceVersion for the provided list is too old."
PAGE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


Entries: TypeAlias = list[Entry]


class Listed(NamedTuple):
    """Objects of a collection at one revision."""

    entries: Entries
    revision: int
    continue_: str = ""
    remaining: int | None = None
    """How many follow; None where a selector makes that unknown."""


class Reads:
    """Gets and lists."""

    def __init__(
        self, store: Store, cache: WatchCache, freshness: Freshness, conversions: Conversions, clock: Clock
    ) -> None:
        self._clock = clock
        self._store = store
        self._cache = cache
        self._freshness = freshness
        self._conversions = conversions

    async def get(self, target: Target, options: ReadOptions) -> Entry:
        """One object.

        Raises:
            StatusError: 404 there is none; 504 the cache does not get there; 400 the revision is no number.
        """
        version = options.resource_version
        if not version:
            await self._freshness.consistent()
        elif version != "0":
            await self._freshness.at_least(parse_revision(version))
        entry = self._cache.get(target.key)
        if entry is not None:
            await self._conversions.ready(target.kind, [entry])
            return entry.viewed(target.kind)
        return self.cached(target)

    def cached(self, target: Target) -> Entry:
        """One object as the cache has it.

        Raises:
            StatusError: 404 there is none; 500 what is stored cannot be read.
        """
        key = target.key
        entry = self._cache.get(key)
        kind = target.kind
        if entry is None:
            if self._cache.quarantined and (reason := self._cache.quarantined.get(store_key(key))):
                raise corrupt_object(key, reason)
            raise not_found(kind.plural, kind.group, target.name)
        return entry if kind.from_stored is None else entry.viewed(kind)

    async def list(self, target: Target, options: ReadOptions) -> Listed:
        """A collection, or a page of it.

        Raises:
            StatusError: 400 and 422 options that make no sense; 410 the page's revision is too old; 504.
        """
        check_list_options(options)
        chosen = selection(target.kind, options)
        if options.continue_:
            return await self._next_page(target, chosen, decode_token(options.continue_), options.limit)
        version, match = options.resource_version, options.resource_version_match
        if not version:
            await self._freshness.consistent()
        elif version != "0":
            wanted = parse_revision(version)
            if match == "Exact" or (not match and options.limit):
                return await self._exactly(target, chosen, wanted, options.limit)
            await self._freshness.at_least(wanted)
        collection = self._cache.collection(target.kind.collection)
        if chosen.name and target.namespace:
            entry = collection.entries.get((target.namespace, chosen.name))
            entries = [] if entry is None else [entry]
        else:
            entries = collection.select(target.namespace)
        return await self._page(target, chosen, entries, self._cache.revision, options.limit)

    def kept_after(self, target: Target, listed: Listed, last: Entry) -> str:
        """Remember a list of which only a part was given; the token with which it goes on."""
        self._cache.keep(target.kind.collection, target.namespace, listed.revision, listed.entries)
        return encode_token(Token(listed.revision, last.namespace, last.name, self._now()))

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    async def _next_page(self, target: Target, chosen: Selection, token: Token, limit: int) -> Listed:
        """What follows on a page; from a token that is told to take what there is, the objects of now."""
        revision, began = token.revision, token.began
        if revision == LATEST:
            await self._freshness.consistent()
            revision, began = self._cache.revision, self._now()
            entries = self._cache.collection(target.kind.collection).select(target.namespace)
            return await self._page(target, chosen, _after(entries, token.after), revision, limit, began=began)
        fresh = encode_token(token._replace(revision=LATEST))
        if self._now() - began > LASTS_SECONDS:
            raise gone(PAGE_EXPIRED, fresh)
        kept = self._cache.kept(target.kind.collection, target.namespace, revision)
        entries = await self._at(target, revision, gone(PAGE_EXPIRED, fresh)) if kept is None else kept
        return await self._page(target, chosen, _after(entries, token.after), revision, limit, began=began)

    async def _exactly(self, target: Target, chosen: Selection, revision: int, limit: int) -> Listed:
        collection = self._cache.collection(target.kind.collection)
        if collection.revision <= revision <= self._cache.revision:
            entries = collection.select(target.namespace)
        else:
            entries = await self._at(target, revision, gone(EXPIRED))
        return await self._page(target, chosen, entries, revision, limit)

    async def _page(
        self, target: Target, chosen: Selection, entries: Entries, revision: int, limit: int, *, began: int = 0
    ) -> Listed:
        kind = target.kind
        if chosen.everything and kind.from_stored is None:
            if not limit or len(entries) <= limit:
                return Listed(entries, revision)
            self._cache.keep(kind.collection, target.namespace, revision, entries)
            last = entries[limit - 1]
            token = encode_token(Token(revision, last.namespace, last.name, began or self._now()))
            return Listed(entries[:limit], revision, token, len(entries) - limit)
        await self._conversions.ready(kind, entries)
        found: list[Entry] = []
        for entry in entries:
            view = _readable(entry, target)
            if view is None or not chosen.matches(view.object):
                continue
            if limit and len(found) == limit:
                self._cache.keep(kind.collection, target.namespace, revision, entries)
                last = found[-1]
                token = encode_token(Token(revision, last.namespace, last.name, began or self._now()))
                return Listed(found, revision, token)
            found.append(view)
        return Listed(found, revision)

    async def _at(self, target: Target, revision: int, expired: StatusError) -> Entries:
        prefix = collection_prefix(target.kind.collection, target.namespace or None)
        try:
            page = await self._store.page(prefix, at=revision)
        except Compacted:
            raise expired from None
        except FutureRevision:
            await self._freshness.at_least(revision)
            page = await self._store.page(prefix, at=revision)
        entries = [entry for item in page.items if (entry := entry_of(item)) is not None]
        return sorted(
            entries, key=lambda entry: (entry.namespace, entry.name)
        )  # "a-b/" < "a/" to etcd, not to the cache


def entry_of(item: Stored) -> Entry | None:
    """The entry of a stored value; None if it cannot be read."""
    key = parse_store_key(item.key)
    try:
        return None if key is None else _checked_entry(key, item)
    except DecodeError:
        return None


def readable_entry(key: Key, item: Stored) -> Entry:
    """The entry of the stored value of a key.

    Raises:
        StatusError: 500, it cannot be read.
    """
    try:
        return _checked_entry(key, item)
    except DecodeError as error:
        raise corrupt_object(key, str(error), item.revision) from None


def _checked_entry(key: Key, item: Stored) -> Entry:
    raw = split_record(item.value)[1]
    decode_object(key, raw)
    return Entry(key.namespace, key.name, item.revision, raw)


def corrupt_object(key: Key, reason: str, revision: int = 0) -> StatusError:
    """500 in the words of Kubernetes' storage layer, which its clients know; see KEP-3926."""
    return internal(
        f"StorageError: corrupt object, Code: 7, Key: {store_key(key)}, ResourceVersion: {revision}, "
        f"AdditionalErrorMsg: object not decodable: {reason}"
    )


async def read_fresh(store: Store, key: Key) -> Entry | None:
    """The object as the store has it now.

    Raises:
        StatusError: 500, it is there and cannot be read.
    """
    item = await store.get(store_key(key))
    return None if item is None else readable_entry(key, item)


def _after(entries: list[Entry], after: tuple[str, str]) -> list[Entry]:
    low, high = 0, len(entries)
    while low < high:
        middle = (low + high) // 2
        if (entries[middle].namespace, entries[middle].name) <= after:
            low = middle + 1
        else:
            high = middle
    return entries[low:]


def _readable(entry: Entry, target: Target) -> Entry | None:
    try:
        view = entry.viewed(target.kind)
        view.object  # noqa: B018  decoded here, so that what cannot be read is left out here
    except DecodeError:
        return None
    return view
