"""Rankings: for one template, the nodes that can take its next pod, best first, kept right by small steps.

A ranking is filled once, at the cost of a look at every node, and from then on reads the snapshot's log: placing
a pod changes one slot, which is judged again and moves in the heap. So a pod of a known template costs O(log n).

Terms about other pods would spoil that, because one placement changes the count of a whole domain. Hence:

- nodes are grouped by their values of the *coarse* topology keys (zones: few domains of many nodes). Each group
  has a heap of its own, ordered by what depends on the node; what depends on the domain is reckoned anew for each
  group at each decision. Cost: the number of groups.
- constraints on *fine* keys (hosts) are part of a node's own judgement; a change at a slot judges the one or
  two nodes of the same domain again. Only when a minimum over all domains moves is everything judged again,
  which for n hosts happens once in n pods.

Pods of a controller are spread over nodes, but one ranking for each of a thousand controllers would be filled a
thousand times. So a group's ranking serves all owners, told where the owner's pods are, as long as those are few
(`CROWD_MAX`); only an owner with pods on more nodes gets a ranking of its own.

Heaps are lazy: `_live` says which entry of a slot is valid, others are dropped when they reach the top. Among
equal scores the order is random, drawn when an entry is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heapify, heappop, heappush
from random import Random

from kubus_scheduler.constraints import Constraint, Constraints
from kubus_scheduler.diagnosis import Diagnosis
from kubus_scheduler.domains import Layouts
from kubus_scheduler.filters import Failure, check_room, is_short, ports_taken
from kubus_scheduler.scores import owner_score, resource_score
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.suitability import Suitability
from kubus_scheduler.templates import Template
from kubus_scheduler.topology import Relation

Group = tuple[Template, Relation]
"""Which pods are interchangeable: those of one template that stand in one relation to other pods' terms."""
Entry = int
"""The negated score, a tie-break and the slot, packed into one number that sorts by them in this order."""
_SLOT_BITS = 20
_TIE_BITS = 16
_SLOT_MASK = (1 << _SLOT_BITS) - 1
Cell = tuple[str | None, ...]
"""The values of the coarse topology keys."""
CROWD_MAX = 8
"""On so many nodes an owner may have pods before it is worth a ranking of its own."""
_TIDY_FROM = 1024
"""Shorter heaps are not worth tidying."""
_NONE: dict[int, int] = {}


class Ranking:
    """The nodes for the next pod of a group, or of one owner within it."""

    def __init__(
        self,
        group: Group,
        snapshot: Snapshot,
        suitability: Suitability,
        layouts: Layouts,
        random: Random,
        *,
        owner: str = "",
    ) -> None:
        self._template, self._relation = group
        self._owner = owner
        self._snapshot = snapshot
        self._suitability = suitability
        self._layouts = layouts
        self._random = random
        self._constraints: Constraints | None = None
        self._diagnosis: Diagnosis | None = None
        self._position = self._layout = 0
        self._fine: list[Constraint] = []
        self._coarse: list[tuple[int, Constraint]] = []
        self._coarse_keys: list[str] = []
        self._live: list[Entry | None] = []
        self._heaps: dict[Cell, list[Entry]] = {}
        self._group_of: list[Cell] | None = None
        self._build()

    def close(self) -> None:
        """The ranking is used no longer."""
        if self._constraints is not None:
            self._constraints.close()
            self._constraints = None

    def best(self, crowd: Mapping[int, int] = _NONE) -> int | None:
        """The slot of the best node, or None if no node can take the pod.

        `crowd`: the slots where the pod's owner has pods already, for a ranking that serves all owners. Costs as much
        as there are such slots.
        """
        self.refresh()
        if not self._coarse:
            entry = self._first(self._heaps.get((), []), (), crowd)
            return None if entry is None else entry & _SLOT_MASK
        chosen: Entry | None = None
        for group, heap in self._heaps.items():
            entry = self._first(heap, group, crowd)
            if entry is None or any(each.check(group[index]) for index, each in self._coarse):
                continue
            extra = sum(each.score(group[index]) for index, each in self._coarse)
            whole = entry - (extra << (_SLOT_BITS + _TIE_BITS))
            if chosen is None or whole < chosen:
                chosen = whole
        return None if chosen is None else chosen & _SLOT_MASK

    def score(self, slot: int) -> int | None:
        """The whole score of a node, or None if it cannot take the pod."""
        self.refresh()
        score = self._judge(slot)
        if score is None:
            return None
        for _, each in self._coarse:
            value = each.domains.layout.values[slot]
            if each.check(value):
                return None
            score += each.score(value)
        return score

    def diagnosis(self) -> Diagnosis:
        """Why each node cannot take the pod."""
        self.refresh()
        if self._diagnosis is None:
            self._diagnosis = Diagnosis(self._failure(slot) for slot in range(len(self._snapshot.facts)))
        return self._diagnosis

    def refresh(self) -> None:
        """Take over what has changed in the snapshot."""
        snapshot = self._snapshot
        if self._position == snapshot.position:
            return
        changed = snapshot.changed_since(self._position)
        is_void = self._constraints is not None and self._layout != snapshot.layout
        if changed is None or len(changed) > len(self._live) or is_void:
            self._build()
            return
        self._position = snapshot.position
        for slot in dict.fromkeys(changed):
            self._touch(slot)

    def _build(self) -> None:
        snapshot = self._snapshot
        self._position, self._layout = snapshot.position, snapshot.layout
        self._fine, self._coarse, self._coarse_keys = [], [], []
        old, self._constraints = self._constraints, None
        if self._relation.holders or self._template.topological:
            self._constraints = Constraints(self._template, self._relation, snapshot, self._layouts)
            self._sort_constraints(self._constraints)
        if old is not None:
            old.close()
        self._suitability.refresh_all()
        self._diagnosis = None
        self._fill()

    def _sort_constraints(self, constraints: Constraints) -> None:
        for each in constraints.all:
            if each.domains.layout.fine:
                self._fine.append(each)
                continue
            if each.key not in self._coarse_keys:
                self._coarse_keys.append(each.key)
            self._coarse.append((self._coarse_keys.index(each.key), each))

    def _fill(self) -> None:
        """Judge every node, and make the heaps anew."""
        self._live = [None] * len(self._snapshot.facts)
        self._heaps = {}
        groups = self._group_of = self._groups()
        for slot in range(len(self._live)):
            score = self._judge(slot)
            if score is not None:
                entry = self._live[slot] = self._entry(score, slot)
                self._heaps.setdefault(groups[slot] if groups else (), []).append(entry)
        for heap in self._heaps.values():
            heapify(heap)

    def _groups(self) -> list[Cell] | None:
        if not self._coarse_keys:
            return None
        columns = [self._layouts.of(key).values for key in self._coarse_keys]
        return list(zip(*columns, strict=True))

    def _judge(self, slot: int) -> int | None:
        """The score of a node as far as it depends on the node and its fine domains; None if it is unfit."""
        snapshot, template = self._snapshot, self._template
        if self._suitability.verdicts[slot] is not None or is_short(template.needs, snapshot, slot):
            return None
        if template.ports and ports_taken(template.ports, snapshot.ports[slot]):
            return None
        needs, capacity = template.needs, snapshot.capacity[slot]
        score = self._suitability.scores[slot] + resource_score(
            capacity.cpu_milli,
            snapshot.scored_cpu_free[slot] - needs.scored_cpu_milli,
            capacity.memory_bytes,
            snapshot.scored_memory_free[slot] - needs.scored_memory_bytes,
        )
        if self._owner:
            score += owner_score(snapshot.owners.get(self._owner, _NONE).get(slot, 0))
        for each in self._fine:
            value = each.domains.layout.values[slot]
            if each.check(value) is not None:
                return None
            score += each.score(value)
        return score

    def _touch(self, slot: int) -> None:
        """Judge a changed slot again, and whatever else its change concerns."""
        self._suitability.refresh(slot)
        if slot >= len(self._live):
            self._live += [None] * (slot + 1 - len(self._live))
            self._diagnosis = None
        if self._constraints is None:
            if self._diagnosis is not None:
                self._diagnosis.set(slot, self._failure(slot))
            self._rank(slot)
            return
        self._diagnosis = None
        shifted = [each for each in self._constraints.all if each.domains.update(slot) and each.domains.layout.fine]
        if shifted:
            self._fill()
            return
        concerned = {slot}
        for each in self._fine:
            value = each.domains.layout.values[slot]
            if value is not None:
                concerned.update(each.domains.layout.members[value])
        for each_slot in concerned:
            self._rank(each_slot)

    def _entry(self, score: int, slot: int) -> Entry:
        return ((self._random.getrandbits(_TIE_BITS) - (score << _TIE_BITS)) << _SLOT_BITS) | slot

    def _rank(self, slot: int) -> None:
        score = self._judge(slot)
        if score is None:
            self._live[slot] = None
            return
        entry = self._live[slot] = self._entry(score, slot)
        group = self._group_of[slot] if self._group_of else ()
        heap = self._heaps.setdefault(group, [])
        heappush(heap, entry)
        if len(heap) > _TIDY_FROM and len(heap) > 4 * len(self._live):
            heap[:] = [each for each in heap if self._live[each & _SLOT_MASK] == each]
            heapify(heap)

    def _top(self, heap: list[Entry]) -> Entry | None:
        live = self._live
        while heap:
            entry = heap[0]
            if live[entry & _SLOT_MASK] == entry:
                return entry
            heappop(heap)
        return None

    def _first(self, heap: list[Entry], cell: Cell, crowd: Mapping[int, int]) -> Entry | None:
        """The best entry of a cell, if nodes with a crowd of the owner's pods are worth the less."""
        first = self._top(heap)
        if not crowd:
            return first
        passed: list[Entry] = []
        while first is not None and first & _SLOT_MASK in crowd:
            passed.append(heappop(heap))
            first = self._top(heap)
        for entry in passed:
            heappush(heap, entry)
        for slot, count in crowd.items():
            found = self._live[slot] if slot < len(self._live) else None
            if found is None or (self._group_of is not None and self._group_of[slot] != cell):
                continue
            found += (owner_score(0) - owner_score(count)) << (_SLOT_BITS + _TIE_BITS)
            if first is None or found < first:
                first = found
        return first

    def _failure(self, slot: int) -> Failure | None:
        """The first objection to a node, in the order of the plug-ins."""
        found = self._suitability.verdicts[slot] or check_room(self._template, self._snapshot, slot)
        if found is not None or self._constraints is None:
            return found
        for each in self._constraints.all:
            found = each.check(each.domains.layout.values[slot])
            if found is not None:
                return found
        return None
