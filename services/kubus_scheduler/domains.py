"""Domains: nodes cut up by the value of a label, and pods counted over the pieces.

A topology key may cut five thousand nodes into three zones or into five thousand hosts. Rankings treat the two
differently (see `ranking`): a key is *fine* if its domains hold two nodes or fewer on average, else *coarse*.
"""

from __future__ import annotations

from kubus_scheduler.snapshot import Snapshot


class KeyLayout:
    """How one topology key cuts up the nodes: valid until the snapshot's layout changes."""

    __slots__ = ("fine", "members", "values", "version")

    def __init__(self, key: str, snapshot: Snapshot) -> None:
        self.version = snapshot.layout
        self.values = [None if facts is None else facts.labels.get(key) for facts in snapshot.facts]
        self.members: dict[str, list[int]] = {}
        for slot, value in enumerate(self.values):
            if value is not None:
                self.members.setdefault(value, []).append(slot)
        nodes = sum(map(len, self.members.values()))
        self.fine = nodes <= 2 * len(self.members)


class Layouts:
    """The layouts of all topology keys in use, made when asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._by_key: dict[str, KeyLayout] = {}

    def of(self, key: str) -> KeyLayout:
        """How a key cuts up the nodes as they are now."""
        found = self._by_key.get(key)
        if found is None or found.version != self._snapshot.layout:
            found = self._by_key[key] = KeyLayout(key, self._snapshot)
        return found


class Domains:
    """A count by slot, summed up by domain.

    `update` takes over what has changed at a slot. It is the owner's duty to call it for every slot that the
    snapshot's log names.
    """

    __slots__ = ("_eligible", "_histogram", "_per_slot", "_seen", "layout", "minimum", "sums", "total")

    def __init__(self, layout: KeyLayout, per_slot: dict[int, int], eligible: list[bool] | None = None) -> None:
        self.layout = layout
        self._per_slot = per_slot
        self._eligible = eligible
        self._seen: dict[int, int] = {}
        self.sums: dict[str, int] = {}
        self.total = 0
        self.minimum = 0
        """The least count of any domain; only kept where `eligible` says which nodes make up domains."""
        self._histogram: dict[int, int] = {}
        if eligible is not None:
            self.sums = {value: 0 for slot, value in enumerate(layout.values) if eligible[slot] and value is not None}
            self._histogram = {0: len(self.sums)}
        for slot in per_slot:
            self.update(slot)

    def update(self, slot: int) -> bool:
        """Take over the count of a slot; whether the minimum changed, or the total from or to zero."""
        new, old = self._per_slot.get(slot, 0), self._seen.get(slot, 0)
        if new == old:
            return False
        self._seen[slot] = new
        value = self.layout.values[slot]
        if value is None or (self._eligible is not None and not self._eligible[slot]):
            return False
        before = self.sums.get(value, 0)
        self.sums[value] = before + new - old
        was_empty, least = not self.total, self.minimum
        self.total += new - old
        if self._eligible is not None:
            self._count(before, before + new - old)
        return least != self.minimum or was_empty != (not self.total)

    def _count(self, before: int, after: int) -> None:
        histogram = self._histogram
        histogram[before] -= 1
        if not histogram[before]:
            del histogram[before]
        histogram[after] = histogram.get(after, 0) + 1
        if after < self.minimum or self.minimum not in histogram:
            self.minimum = min(histogram)
