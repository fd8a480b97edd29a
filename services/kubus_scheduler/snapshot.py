"""The snapshot: every node and the pods on it, in arrays of integers that change in place.

A node has a *slot*, its index in all arrays. Placing a pod changes one slot, and every change of a slot is noted
in a log; a ranking remembers how far it has read the log and looks again only at the slots it finds there. So
nothing here costs as much as there are nodes.

A pod counts from the moment it is placed, be it because the apiserver says so or because the scheduler has just
decided it (`core` calls that assumed). Pods may be known before their node is, and outlive it.
"""

from __future__ import annotations

from collections import Counter

from kubus.model.objects import Key
from kubus_scheduler.needs import HostPort
from kubus_scheduler.nodes import Capacity, NodeFacts
from kubus_scheduler.templates import Pod
from kubus_scheduler.topology import Topology

_LOG_MIN = 4096
_NOTHING = Capacity(0, 0, 0, 0, {})


class Snapshot:
    """Nodes, what is free on them, and the pods that took the rest. The arrays are read-only to others."""

    def __init__(self) -> None:
        self.slots: dict[str, int] = {}
        self.facts: list[NodeFacts | None] = []
        self.capacity: list[Capacity] = []
        self.free_cpu: list[int] = []
        self.free_memory: list[int] = []
        self.free_ephemeral: list[int] = []
        self.free_pods: list[int] = []
        self.free_extended: list[dict[str, int]] = []
        self.scored_cpu_free: list[int] = []
        self.scored_memory_free: list[int] = []
        self.ports: list[Counter[HostPort]] = []
        self.owners: dict[str, dict[int, int]] = {}
        """Pods by uid of their controller, then by slot."""
        self.topology = Topology()
        self.layout = 0
        """Counts the changes of facts: labels, taints, nodes that come and go."""
        self._pods: dict[str, dict[Key, Pod]] = {}
        self._vacant: list[int] = []
        self._log: list[int] = []
        self._log_start = 0

    @property
    def position(self) -> int:
        """How many changes there have been; see `changed_since`."""
        return self._log_start + len(self._log)

    def changed_since(self, position: int) -> list[int] | None:
        """The slots changed after a position, oldest first, possibly repeated; None: too long ago to say."""
        if position < self._log_start:
            return None
        return self._log[position - self._log_start :]

    def _changed(self, slot: int) -> None:
        self._log.append(slot)
        if len(self._log) > max(_LOG_MIN, 4 * len(self.facts)):
            half = len(self._log) // 2
            del self._log[:half]
            self._log_start += half

    def set_node(self, facts: NodeFacts, capacity: Capacity) -> int | None:
        """A node is there or has changed: its slot, or None if nothing changed that matters here."""
        slot = self.slots.get(facts.name)
        if slot is None:
            slot = self._new_slot(facts.name)
            for pod in self._pods.get(facts.name, {}).values():
                self._charge(pod, slot, 1)
        elif self.facts[slot] == facts and self.capacity[slot] == capacity:
            return None
        if self.facts[slot] != facts:
            self.facts[slot] = facts
            self.layout += 1
        self._set_capacity(slot, capacity)
        self._changed(slot)
        return slot

    def _new_slot(self, name: str) -> int:
        if self._vacant:
            slot = self._vacant.pop()
        else:
            slot = len(self.facts)
            self.facts.append(None)
            self.capacity.append(_NOTHING)
            for array in self._amounts():
                array.append(0)
            self.free_extended.append({})
            self.ports.append(Counter())
        self.slots[name] = slot
        return slot

    def _amounts(self) -> tuple[list[int], ...]:
        return (
            self.free_cpu,
            self.free_memory,
            self.free_ephemeral,
            self.free_pods,
            self.scored_cpu_free,
            self.scored_memory_free,
        )

    def _set_capacity(self, slot: int, new: Capacity) -> None:
        old = self.capacity[slot]
        self.capacity[slot] = new
        self.free_cpu[slot] += new.cpu_milli - old.cpu_milli
        self.scored_cpu_free[slot] += new.cpu_milli - old.cpu_milli
        self.free_memory[slot] += new.memory_bytes - old.memory_bytes
        self.scored_memory_free[slot] += new.memory_bytes - old.memory_bytes
        self.free_ephemeral[slot] += new.ephemeral_bytes - old.ephemeral_bytes
        self.free_pods[slot] += new.pods - old.pods
        free = self.free_extended[slot]
        for name in {*old.extended, *new.extended}:
            free[name] = free.get(name, 0) + new.extended.get(name, 0) - old.extended.get(name, 0)

    def remove_node(self, name: str) -> None:
        """A node is gone; its pods are known on, should it come back before they are deleted."""
        slot = self.slots.pop(name, None)
        if slot is None:
            return
        for pod in self._pods.get(name, {}).values():
            self._charge(pod, slot, -1)
        self._set_capacity(slot, _NOTHING)
        self.facts[slot] = None
        self.layout += 1
        self._vacant.append(slot)
        self._changed(slot)

    def place(self, pod: Pod, node: str) -> None:
        """A pod takes its room on a node. It must not be placed already."""
        self._pods.setdefault(node, {})[pod.key] = pod
        slot = self.slots.get(node)
        if slot is not None:
            self._charge(pod, slot, 1)
            self._changed(slot)

    def withdraw(self, pod: Pod, node: str) -> int | None:
        """A placed pod gives its room back; the slot that has it now."""
        pods = self._pods[node]
        del pods[pod.key]
        if not pods:
            del self._pods[node]
        slot = self.slots.get(node)
        if slot is not None:
            self._charge(pod, slot, -1)
            self._changed(slot)
        return slot

    def renew(self, pod: Pod, node: str) -> None:
        """A placed pod has a newer state that takes the same room."""
        self._pods[node][pod.key] = pod

    def pods_on(self, node: str) -> list[Pod]:
        """The pods that take room on a node."""
        return list(self._pods.get(node, {}).values())

    def _charge(self, pod: Pod, slot: int, sign: int) -> None:
        template = pod.template
        needs = template.needs
        self.free_cpu[slot] -= sign * needs.cpu_milli
        self.free_memory[slot] -= sign * needs.memory_bytes
        self.free_ephemeral[slot] -= sign * needs.ephemeral_bytes
        self.free_pods[slot] -= sign
        self.scored_cpu_free[slot] -= sign * needs.scored_cpu_milli
        self.scored_memory_free[slot] -= sign * needs.scored_memory_bytes
        free = self.free_extended[slot]
        for name, count in needs.extended:
            free[name] = free.get(name, 0) - sign * count
        for port in template.ports:
            taken = self.ports[slot]
            taken[port] += sign
            if not taken[port]:
                del taken[port]
        if pod.owner:
            self._count_owner(pod.owner, slot, sign)
        if sign > 0:
            self.topology.add(pod, slot)
        else:
            self.topology.remove(pod, slot)

    def _count_owner(self, owner: str, slot: int, sign: int) -> None:
        counts = self.owners.setdefault(owner, {})
        counts[slot] = counts.get(slot, 0) + sign
        if not counts[slot]:
            del counts[slot]
        if not counts:
            del self.owners[owner]
