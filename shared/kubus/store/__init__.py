"""The store: versioned keys, compare-and-swap, and changes in order.

`Store` is what the apiserver and the relay need of etcd, and nothing more. `kubus.store.etcd` has it over
gRPC, `kubus.store.memory` in memory; one conformance suite (tests/conformance) runs against both. Keys are text,
values are bytes, and no one here looks into them.

Every write is one transaction on one key (and the note of a delete), so that each revision is one change: a
watcher that is cut off between two revisions can resume. A write may carry a `Fence`: it succeeds only while
the fence's key still stands at the fence's revision.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """A key's value as it stands at some revision."""

    key: str
    value: bytes
    revision: int
    """The revision that wrote this value (etcd's mod_revision)."""
    created: int
    """The revision that created the key."""


class Page(NamedTuple):
    """Keys of a prefix in order, as they were at one revision."""

    items: list[Stored]
    revision: int
    """The revision at which the page was read: pass it as `at` for the next one."""
    more: bool
    """Whether keys follow; the next page starts `after=items[-1].key`."""


class StoreChange(NamedTuple):
    """One change of one key."""

    key: str
    value: bytes | None
    """None: the key was deleted."""
    revision: int
    created: int
    """The revision that created the key; equal to `revision` when this change created it. 0 for a delete."""
    before: Stored | None
    """What stood there before, if anything did."""


class Fence(NamedTuple):
    """A key and the revision at which it has to stand for a write to succeed."""

    key: str
    revision: int


class StoreError(Exception):
    """The store did not do what was asked."""


class KeyExists(StoreError):
    """create: the key is there already."""


class Conflict(StoreError):
    """replace, delete: the key stands at another revision than expected, or is gone."""

    def __init__(self, current: Stored | None) -> None:
        super().__init__("the key is gone" if current is None else f"the key stands at revision {current.revision}")
        self.current = current


class Fenced(StoreError):
    """The fence's key no longer stands at the fence's revision: the writer may have been deposed."""


class Compacted(StoreError):
    """The revision asked for is gone; `oldest` is the first that can still be read (0: not known)."""

    def __init__(self, oldest: int = 0) -> None:
        super().__init__(f"the revision has been compacted; the oldest is {oldest}")
        self.oldest = oldest


class Reverted(Compacted):
    """The store was restored from a backup: list again, and trust no revision of its history before."""


class FutureRevision(StoreError):
    """The revision asked for has not happened yet."""


class NoSpace(StoreError):
    """The store is full and takes no writes (etcd's NOSPACE alarm)."""


class Unavailable(StoreError):
    """The store cannot be reached or has no leader. A write that ended so may or may not have happened."""


class Store(Protocol):
    """What kubus needs of etcd. All methods raise `Unavailable` when there is no answer in time."""

    async def get(self, key: str, *, at: int = 0) -> Stored | None:
        """The key's value now (linearizable), or at an earlier revision.

        Raises:
            Compacted, FutureRevision: of `at`.
        """

    async def page(self, prefix: str, *, after: str = "", limit: int = 0, at: int = 0) -> Page:
        """Keys with the prefix that come after `after`, in order, `limit` at most (0: all), now or at a revision.

        Raises:
            Compacted, FutureRevision: of `at`.
        """

    async def revision(self) -> int:
        """The newest revision (linearizable): a reader that has seen it has seen every acknowledged write."""

    async def history(self) -> str:
        """A name of the history whose revisions these are. A store that is restored under another name has another."""

    async def create(self, key: str, value: bytes, *, fence: Fence | None = None, ttl_seconds: int = 0) -> int:
        """Write a key that does not exist; its revision.

        With `ttl_seconds` it is deleted by itself some time after so many seconds, with others of its age: then
        several keys are deleted in one revision, and there is no note.

        Raises:
            KeyExists, Fenced, NoSpace
        """

    async def replace(
        self, key: str, value: bytes, *, expected: int, fence: Fence | None = None, ttl_seconds: int = 0
    ) -> int:
        """Write a key that stands at the expected revision; its new revision. Its time to live begins anew, or ends.

        Raises:
            Conflict, Fenced, NoSpace
        """

    async def delete(
        self, key: str, *, expected: int, note: tuple[str, bytes] | None = None, fence: Fence | None = None
    ) -> int:
        """Delete a key that stands at the expected revision; the revision of the deletion.

        `note` is a key and a value to put in the same transaction, under a lease of about a minute or more.

        Raises:
            Conflict, Fenced
        """

    def changes(self, prefix: str, *, after: int) -> AsyncGenerator[list[StoreChange], None]:
        """Every change of keys with the prefix after a revision, in order, for ever, in batches.

        An empty batch comes about once a second of quiet: the stream is alive (it is no proof of freshness).
        Changes of one revision come in one batch, in the order of the transaction. Lost connections are
        resumed without loss. Close the iterator (`aclosing`) to stop.

        Raises:
            Compacted: what comes after `after` is no longer all there; list again.
            Reverted: the store has been restored, what was told before belongs to another history; list again.
        """

    async def compact(self, revision: int) -> None:
        """Forget what stood before a revision.

        Raises:
            Compacted: it is forgotten already.
        """

    async def aclose(self) -> None:
        """Close connections and end leases' renewal."""
