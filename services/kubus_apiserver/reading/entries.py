"""One stored object in the cache, and the forms in which it leaves.

An entry is made of the bytes that etcd delivered. It is decoded when somebody first needs to look inside and
encoded as JSON when somebody first asks for JSON, each at most once: a list is a join of such bytes, a watch
event wraps them. Entries are immutable to everybody else, and what `object` returns is shared.
"""

from __future__ import annotations

from kubus.model.codec import DecodeError, Raw, pack, to_json, unpack
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object


def without_revision(obj: Object) -> Object:
    """The object as it is stored: etcd knows its revision."""
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}}


class Entry:
    """An object at one revision."""

    __slots__ = ("_json", "_object", "_views", "name", "namespace", "raw", "revision")

    def __init__(self, namespace: str, name: str, revision: int, raw: Raw, obj: Object | None = None) -> None:
        self.namespace = namespace
        self.name = name
        self.revision = revision
        self.raw = raw
        self._object = obj
        self._json: bytes | None = None
        self._views: dict[str, Entry] | None = None

    @property
    def object(self) -> Object:
        """The decoded object with its resourceVersion; shared.

        Raises:
            DecodeError: what is stored is no object.
        """
        found = self._object
        if found is None:
            found = unpack(self.raw)
            try:
                found["metadata"]["resourceVersion"] = str(self.revision)
            except (TypeError, KeyError):
                raise DecodeError("the stored value is no object") from None
            self._object = found
        return found

    @property
    def json(self) -> bytes:
        """The object as JSON."""
        found = self._json
        if found is None:
            found = self._json = to_json(self.object)
        return found

    def viewed(self, kind: Kind) -> Entry:
        """The entry as another kind shows it, where two kinds share one store."""
        if kind.from_stored is None:
            return self
        if self._views is None:
            self._views = {}
        view = self._views.get(kind.schema)
        if view is None:
            shown = kind.from_stored(self.object)
            raw = Raw(pack(without_revision(shown)))
            view = Entry(self.namespace, self.name, self.revision, raw, shown)
            self._views[kind.schema] = view
        return view

    def is_shown(self, kind: Kind) -> bool:
        """Whether it has been made ready to be seen as a kind."""
        return self._views is not None and kind.schema in self._views

    def show(self, kind: Kind, obj: Object) -> None:
        """Show this when it is looked at as a kind: somebody else has converted it."""
        if self._views is None:
            self._views = {}
        self._views[kind.schema] = Entry(
            self.namespace, self.name, self.revision, Raw(pack(without_revision(obj))), obj
        )

    def moved_to(self, revision: int) -> Entry:
        """The same object under another revision: a deletion's last state carries the deletion's revision."""
        moved = Entry(self.namespace, self.name, revision, self.raw)
        if self._views is not None:
            moved._views = {kind: view.moved_to(revision) for kind, view in self._views.items()}
        return moved


def written(key: Key, revision: int, stored: Object, raw: Raw) -> Entry:
    """The entry of what was just stored; the object is the caller's, so the revision goes into a copy."""
    metadata = without_revision(stored)["metadata"]
    if revision:
        metadata["resourceVersion"] = str(revision)
    return Entry(key.namespace, key.name, revision, raw, {**stored, "metadata": metadata})
