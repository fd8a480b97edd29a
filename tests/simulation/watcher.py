"""The watcher: promises that hold at every moment, checked on every change of the store.

It reads the store directly, so it misses nothing. What it keeps of the past are the notes, by revision: from any
event it can walk back through the causes.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

from tests.simulation.chaos import CORRUPT_NAME
from tests.simulation.cluster import Cluster

from kubus.model.codec import unpack
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object, is_deleting, name_of, namespace_of, path_of, revision_of, uid_of
from kubus.model.quantities import milli
from kubus.model.records import NOTES, Note, decode_record, parse_store_key
from kubus.store import Reverted, StoreChange

USER = "kubernetes-admin"
PODS, NODES, LEASES, EVENTS = "pods.core", "nodes.core", "leases.coordination.k8s.io", "events.core"
_FINISHED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Written:
    """One change, remembered."""

    key: Key
    note: Note
    deleted: bool


class Watcher:
    """Sees every change of the store."""

    def __init__(self, cluster: Cluster) -> None:
        self.revision = 0
        """Of the newest change."""
        self.history: dict[int, Written] = {}
        self.objects: dict[Key, Object] = {}
        """What stands in the store, as of `revision`."""
        self.quiet_since = 0.0
        """When something other than leases and Events last changed."""
        self._cluster = cluster
        self._chronicle = cluster.chronicle
        self._deleted: dict[Key, int] = {}
        self._acknowledged: list[tuple[Key, int]] = []
        self._undone: list[range] = []
        """Revisions that a restored store took back; it may have given them again since."""
        cluster.on_restore.append(self._restored)

    async def run(self) -> None:
        """Follow the store until cancelled."""
        while True:
            try:
                async with aclosing(self._cluster.store.changes("/kubus/", after=self.revision)) as batches:
                    async for batch in batches:
                        self.take(batch)
            except Reverted:
                await self._read_objects()

    def _restored(self, kept: int, newest: int) -> None:
        """The store has gone back to a revision: nothing is promised of what came after it."""
        self._undone.append(range(kept + 1, newest + 1))
        self.revision = min(self.revision, kept)
        self.history = {revision: written for revision, written in self.history.items() if revision <= kept}
        self._deleted = {key: revision for key, revision in self._deleted.items() if revision <= kept}

    async def _read_objects(self) -> None:
        """What stands in a store that was restored, as of `revision`."""
        page = await self._cluster.store.page("/kubus/", at=self.revision)
        there = {parse_store_key(item.key): item.value for item in page.items}
        self.objects = {
            key: decode_record(value).object
            for key, value in there.items()
            if key is not None and not key.name.startswith(CORRUPT_NAME)
        }

    def is_undone(self, revision: int) -> bool:
        """Whether a restore took a revision back."""
        return any(revision in undone for undone in self._undone)

    def take(self, batch: list[StoreChange]) -> None:
        """The next changes of the store."""
        note: Note | None = None
        for change in batch:
            key = parse_store_key(change.key)
            if key is not None and key.name.startswith(CORRUPT_NAME):
                self.revision = change.revision
                continue
            if change.key.startswith(NOTES) and change.value is not None:
                note = Note.from_wire(unpack(change.value))
            elif key is not None:
                self._saw(key, change, note)
                note = None

    def acknowledged(self, kind: Kind, written: Object) -> None:
        """A user was told that this was written."""
        self._acknowledged.append((self._key(kind, written), revision_of(written)))

    def read_back(self, kind: Kind, written: Object, revision: int) -> None:
        """What a user read after an acknowledged write: this revision, 0 for nothing."""
        key = self._key(kind, written)
        if self.is_undone(revision_of(written)):
            return
        if revision < revision_of(written) and not (revision == 0 and self._deleted.get(key, 0) > revision_of(written)):
            self._break("an acknowledged write is readable", f"{key} of {revision_of(written)} reads as {revision}")

    def check_acknowledged(self) -> None:
        """Every acknowledged write is in the store's history, under its revision."""
        for key, revision in self._acknowledged:
            found = self.history.get(revision)
            if (found is None or found.key != key) and not self.is_undone(revision):
                self._break("no acknowledged write is lost", f"{key} at {revision} is {found}")

    def causes(self, revision: int) -> list[int]:
        """The revisions that one walks back through from a revision's cause to the first.

        At a revision that a restore took back the walk ends: it may since have been given to something else.
        """
        path = [revision]
        while (found := self.history.get(path[-1])) is not None and found.note.cause is not None:
            if self.is_undone(path[-1]):
                break
            path.append(found.note.cause)
        return path

    @staticmethod
    def _key(kind: Kind, obj: Object) -> Key:
        return Key(kind.collection, namespace_of(obj) if kind.namespaced else "", name_of(obj))

    def _break(self, promise: str, how: str) -> None:
        self._chronicle.break_promise(promise, how)

    def _saw(self, key: Key, change: StoreChange, delete_note: Note | None) -> None:
        if change.revision < self.revision:
            self._break("revisions grow", f"{change.revision} after {self.revision}")
        self.revision = change.revision
        before = self.objects.get(key)
        if change.value is None:
            note, obj = delete_note or Note("", "", "delete", 0), None
            self.objects.pop(key, None)
            self._deleted[key] = change.revision
        else:
            note, obj = decode_record(change.value)
            self.objects[key] = obj
        self.history[change.revision] = Written(key, note, obj is None)
        self._check_note(key, change.revision, note)
        if key.collection != LEASES:
            self._tell(key, change, note, obj)
        if key.collection not in (LEASES, EVENTS):
            self.quiet_since = self._cluster.clock.monotonic()
        if key.collection == PODS:
            self._check_pod(key, before, obj)

    def _tell(self, key: Key, change: StoreChange, note: Note, obj: Object | None) -> None:
        verb = "deleted" if obj is None else "added" if change.created == change.revision else "modified"
        cause = f" because of {note.cause}" if note.cause is not None else ""
        self._chronicle.tell(f"store {change.revision}", f"{key} {verb} by {note.manager}{cause}{_gist(key, obj)}")

    def _check_note(self, key: Key, revision: int, note: Note) -> None:
        if not note.by:
            self._break("every change says who made it", f"{key} at {revision}")
        if note.cause is not None and note.cause >= revision and not self.is_undone(note.cause):
            self._break("a cause comes before its effect", f"{key} at {revision} is caused by {note.cause}")
        timed = key.collection == LEASES or (key.collection == NODES and note.manager == "kubelet")
        if note.cause is None and note.by not in (USER, "system:apiserver") and not timed:
            self._break("every write of a service has a cause", f"{key} at {revision} by {note.manager}")

    def _check_pod(self, key: Key, before: Object | None, pod: Object | None) -> None:
        if pod is None:
            return
        if before is not None and uid_of(before) != uid_of(pod):
            before = None
        node = path_of(pod, "spec", "nodeName", default="")
        node_before = path_of(before or {}, "spec", "nodeName", default="")
        if node_before and node != node_before:
            self._break("a pod is bound once", f"{key} was on {node_before} and is on {node}")
        if node and not node_before:
            self._check_room(key, node)
        self._check_status(key, pod)

    def _check_room(self, key: Key, name: str) -> None:
        """A binding leaves no node with more than it has."""
        node = self.objects.get(Key(NODES, "", name))
        if node is None:
            return
        there = [
            pod
            for other, pod in self.objects.items()
            if other.collection == PODS
            and path_of(pod, "spec", "nodeName") == name
            and path_of(pod, "status", "phase") not in _FINISHED
        ]
        asked = sum(_cpu(pod) for pod in there)
        has = milli(path_of(node, "status", "allocatable", "cpu", default=0))
        if asked > has:
            self._break("no overcommit by binding", f"{key} on {name}: {asked}m asked of {has}m")

    def _check_status(self, key: Key, pod: Object) -> None:
        """A status says nothing that has not happened on the machine."""
        attempt = self._cluster.truth.of.get(uid_of(pod))
        for status in path_of(pod, "status", "containerStatuses", default=()):
            if "running" in status.get("state", {}) and (attempt is None or status["restartCount"] > attempt.attempts):
                self._break("status is never ahead of the runtime", f"{key}: run {status['restartCount']}, {attempt}")


def _cpu(pod: Object) -> int:
    return sum(milli(path_of(each, "resources", "requests", "cpu", default=0)) for each in pod["spec"]["containers"])


def _gist(key: Key, obj: Object | None) -> str:
    """What a reader of the chronicle wants to know of an object."""
    if obj is None:
        return ""
    gone = ", deleting" if is_deleting(obj) else ""
    if key.collection == PODS:
        ready = [each["status"] for each in path_of(obj, "status", "conditions", default=()) if each["type"] == "Ready"]
        where = path_of(obj, "spec", "nodeName", default="nowhere")
        return f": {path_of(obj, 'status', 'phase')} on {where}, ready {ready[0] if ready else '?'}{gone}"
    if key.collection.endswith(".apps"):
        status = obj.get("status") or {}
        counts = " ".join(
            f"{field.removesuffix('Replicas')}={status[field]}" for field in sorted(status) if "eplicas" in field
        )
        return f": wants {path_of(obj, 'spec', 'replicas')}, {counts}{gone}"
    return f": {gone[2:]}" if gone else ""
