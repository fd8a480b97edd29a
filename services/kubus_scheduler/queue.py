"""The queue: which waiting pod comes next.

A waiting pod is in one of three places:

- *active*: to be tried; the highest priority first, then the oldest. Pods of the same second go by template, so that
  equal pods follow one another and share the most work.
- *backing off*: tried without success lately; tried again after 1 s, 2 s, 4 s, … 10 s.
- *unschedulable*: no node can take it, and it is no use to try until something changes that may cure that. These
  are kept by group (all pods of one ranking), so that a change of the cluster is held against each group once.
  After five minutes they are tried anyway, should a change have been overlooked.

Pods with scheduling gates never get here (see `core`). All times are monotonic seconds, handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Generic, TypeVar

from kubus.model.objects import Key, metadata
from kubus_scheduler.templates import Pod

BACKOFF_SECONDS_MIN = 1.0
BACKOFF_SECONDS_MAX = 10.0
UNSCHEDULABLE_SECONDS_MAX = 300.0
G = TypeVar("G")
"""What identifies a group; hashable."""


@dataclass(slots=True, eq=False)
class Waiting(Generic[G]):
    """A pod that waits for a node."""

    pod: Pod
    order: int
    """How many came before it."""
    attempts: int = 0
    retry_at: float = 0.0
    """The end of its back-off."""
    group: G | None = None
    """While it is unschedulable: with which others."""
    parked_at: float = 0.0
    message: str = ""
    """What was last said about it."""
    plugins: frozenset[str] = frozenset()
    """While it is unschedulable: who objected."""
    place: str = ""
    """active, backoff, parked, or "" while it is being tried."""
    ticket: int = 0
    """Its valid entry in a heap; entries with older tickets are passed over."""


class Queue(Generic[G]):
    """Pods that wait, by key."""

    def __init__(self) -> None:
        self._waiting: dict[Key, Waiting[G]] = {}
        self._active: list[tuple[int, str, int, int, int, Waiting[G]]] = []
        self._backoff: list[tuple[float, int, Waiting[G]]] = []
        self._tickets = 0
        self._parked: dict[G, dict[Key, Waiting[G]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: Key) -> bool:
        return key in self._waiting

    def get(self, key: Key) -> Waiting[G] | None:
        """What is known of a waiting pod."""
        return self._waiting.get(key)

    def add(self, pod: Pod) -> None:
        """A pod waits from now on."""
        self._count += 1
        waiting = self._waiting[pod.key] = Waiting(pod, self._count)
        self._activate(waiting)

    def replace(self, pod: Pod, now: float) -> None:
        """A waiting pod is another now. If that may matter to its placement it is tried again."""
        waiting = self._waiting[pod.key]
        old, waiting.pod = waiting.pod, pod
        if (
            old.template is not pod.template
            or old.owner != pod.owner
            or old.labels != pod.labels
            or old.priority != pod.priority
        ):
            if waiting.place == "parked":
                self._unpark(waiting, now)
            elif waiting.place == "active":
                self._activate(waiting)

    def remove(self, key: Key) -> Waiting[G] | None:
        """A pod waits no longer."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            self._leave_group(waiting)
            waiting.place = ""
        return waiting

    def pop(self, now: float) -> Waiting[G] | None:
        """The next pod to try; it stays known, and one of `park`, `back_off` and `remove` must follow."""
        self._end_backoffs(now)
        self._drop_stale()
        if not self._active:
            return None
        waiting = heappop(self._active)[-1]
        waiting.place = ""
        waiting.attempts += 1
        return waiting

    def park(self, waiting: Waiting[G], group: G, plugins: frozenset[str], now: float) -> None:
        """No node can take the pod, because of these plug-ins."""
        waiting.place, waiting.group, waiting.plugins, waiting.parked_at = "parked", group, plugins, now
        waiting.retry_at = now + backoff_seconds(waiting.attempts)
        self._parked.setdefault(group, {})[waiting.pod.key] = waiting

    def back_off(self, waiting: Waiting[G], now: float) -> None:
        """Something else went wrong with a pod that was popped, or even removed: try again after a while."""
        self._waiting[waiting.pod.key] = waiting
        waiting.retry_at = now + backoff_seconds(waiting.attempts)
        self._start_backoff(waiting)

    def groups(self) -> list[tuple[G, Waiting[G]]]:
        """The groups of unschedulable pods, each with one of its pods."""
        return [(group, next(iter(pods.values()))) for group, pods in self._parked.items()]

    def wake(self, group: G, now: float) -> None:
        """A group may be schedulable now."""
        for waiting in list(self._parked.get(group, {}).values()):
            self._unpark(waiting, now)

    def wake_overdue(self, now: float) -> None:
        """Try again what has been unschedulable for very long."""
        for pods in list(self._parked.values()):
            for waiting in list(pods.values()):
                if now - waiting.parked_at >= UNSCHEDULABLE_SECONDS_MAX:
                    self._unpark(waiting, now)

    def next_due(self, now: float) -> float | None:
        """When `pop` may have something: `now` if it has, else the end of the first back-off; None: not by time."""
        self._end_backoffs(now)
        self._drop_stale()
        if self._active:
            return now
        return self._backoff[0][0] if self._backoff else None

    def counts(self) -> dict[str, int]:
        """How many pods are in which place."""
        parked = sum(map(len, self._parked.values()))
        backing_off = sum(1 for each in self._waiting.values() if each.place == "backoff")
        return {"active": len(self._waiting) - parked - backing_off, "backoff": backing_off, "unschedulable": parked}

    def _drop_stale(self) -> None:
        """Bring valid entries to the top of both heaps."""
        while self._active and not self._is_valid(self._active[0][-2], self._active[0][-1], "active"):
            heappop(self._active)
        while self._backoff and not self._is_valid(*self._backoff[0][1:], "backoff"):
            heappop(self._backoff)

    def _is_valid(self, ticket: int, waiting: Waiting[G], place: str) -> bool:
        return waiting.ticket == ticket and waiting.place == place

    def _ticket(self, waiting: Waiting[G], place: str) -> int:
        self._tickets += 1
        waiting.ticket, waiting.place = self._tickets, place
        return self._tickets

    def _activate(self, waiting: Waiting[G]) -> None:
        ticket = self._ticket(waiting, "active")
        created = metadata(waiting.pod.object).get("creationTimestamp") or ""
        heappush(
            self._active, (-waiting.pod.priority, created, waiting.pod.template.serial, waiting.order, ticket, waiting)
        )

    def _start_backoff(self, waiting: Waiting[G]) -> None:
        heappush(self._backoff, (waiting.retry_at, self._ticket(waiting, "backoff"), waiting))

    def _end_backoffs(self, now: float) -> None:
        while self._backoff and self._backoff[0][0] <= now:
            _, ticket, waiting = heappop(self._backoff)
            if self._is_valid(ticket, waiting, "backoff"):
                self._activate(waiting)

    def _unpark(self, waiting: Waiting[G], now: float) -> None:
        self._leave_group(waiting)
        if waiting.retry_at > now:
            self._start_backoff(waiting)
        else:
            self._activate(waiting)

    def _leave_group(self, waiting: Waiting[G]) -> None:
        pods = None if waiting.group is None else self._parked.get(waiting.group)
        if waiting.place == "parked" and pods is not None:
            pods.pop(waiting.pod.key, None)
            if not pods and waiting.group is not None:
                del self._parked[waiting.group]
            waiting.group = None


def backoff_seconds(attempts: int) -> float:
    """How long to wait after so many attempts."""
    return min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_MIN * 2.0 ** min(10, max(0, attempts - 1)))
