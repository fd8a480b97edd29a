"""Changes of a prefix out of etcd's watch: the pure half.

`Changes` takes watch responses, as many as have come, and gives batches of `StoreChange`. It knows how far the
consumer has been told, so that a new stream can begin right after, and it holds back a revision that etcd has sent in
part (fragments), so that the changes of one revision come together and a stream that breaks inside one loses nothing.

A progress answer is only a sign of life here: etcd 3.4 may send one ahead of events.
"""

from __future__ import annotations

from kubus.store import Compacted, Reverted, StoreChange, Stored, Unavailable
from kubus.store import etcd_rpc_pb2 as pb


def stored(kv: pb.KeyValue) -> Stored:
    """A key and its value as etcd sends them, in our terms."""
    return Stored(kv.key.decode(), kv.value, kv.mod_revision, kv.create_revision)


class Changes:
    """Where one consumer stands in the history of a prefix. No I/O."""

    def __init__(self, prefix: bytes, range_end: bytes, after: int) -> None:
        self._prefix = prefix
        self._range_end = range_end
        self._held: list[StoreChange] = []
        self._last: dict[str, bytes | None] = {}
        self._doubted: dict[str, bytes | None] = {}
        self.after = after
        """Every change up to this revision has been handed out."""

    def create_request(self) -> pb.WatchRequest:
        """What to open a stream with. What was held back is forgotten: it comes again.

        It begins at the last revision known, not after it: etcd then says if that one is compacted. A stream that
        begins at the compacted revision itself is let in, though a deletion at that revision is forgotten (etcd issues
        18089 and 19179). And what it sends of that revision has to be what was handed out: if it is not, etcd has been
        restored from a backup, and has come as far again by another way.
        """
        self._held = []
        self._doubted = self._last
        return pb.WatchRequest(
            create_request=pb.WatchCreateRequest(
                key=self._prefix,
                range_end=self._range_end,
                start_revision=max(self.after, 1),  # 0 would mean: from now on
                prev_kv=True,
                fragment=True,
            )
        )

    @property
    def is_amid(self) -> bool:
        """Whether the rest of a revision is still to come."""
        return bool(self._held)

    def received(self, responses: list[pb.WatchResponse]) -> list[StoreChange]:
        """The changes that responses complete; [] for a sign of life.

        Raises:
            Compacted: history between `after` and now is gone.
            Reverted: the last revision handed out was another one in this history.
            Unavailable: etcd has ended the watch; open another stream.
        """
        batch, self._held = self._held, []
        for response in responses:
            if response.canceled:  # what came before comes again
                if response.compact_revision:
                    raise Compacted(response.compact_revision)
                raise Unavailable(f"etcd ended the watch: {response.cancel_reason}")
            if self._doubted and response.events:
                self._compare([_change(event) for event in response.events])
            batch += [_change(event) for event in response.events if event.kv.mod_revision > self.after]
        if batch and responses[-1].fragment:
            last = batch[-1].revision
            complete = next((at for at, change in enumerate(batch) if change.revision == last), 0)
            batch, self._held = batch[:complete], batch[complete:]
        if batch:
            self.after = batch[-1].revision
            self._last = {change.key: change.value for change in batch if change.revision == self.after}
        return batch

    def _compare(self, changes: list[StoreChange]) -> None:
        """Hold the first changes of a stream against the last ones of the stream before it."""
        for change in changes:
            known = self._doubted.get(change.key, change.value)
            if change.revision < self.after:
                continue
            if change.revision > self.after or known != change.value:
                raise Reverted(change.revision)
            self._doubted = {key: value for key, value in self._doubted.items() if key != change.key}
            if not self._doubted:
                return


def _change(event: pb.Event) -> StoreChange:
    kv = event.kv
    before = stored(event.prev_kv) if event.HasField("prev_kv") else None
    value = kv.value if event.type == pb.Event.PUT else None
    return StoreChange(kv.key.decode(), value, kv.mod_revision, kv.create_revision, before)
