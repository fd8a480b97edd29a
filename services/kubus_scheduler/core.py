"""The scheduler itself: events in, decisions out; no I/O, no clock.

The driver hands it what it hears about pods, nodes and namespaces, asks it to `decide`, carries the decisions
out, and tells it what came of them. A pod that has been given a node is *assumed* there at once, so that the next
decision reckons with it, until the apiserver's own word arrives (`set_pod`) or the binding failed (`not_bound`).

**Waking.** What has failed is tried again only when a change may cure it: a pod that found no room when a node
that suits it has room again; a pod that failed for other pods' sake when its ranking has a candidate again.
Both questions are put once to each group of equal pods, and cost a look at the slots that changed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from random import Random

from kubus.model.objects import Key, Object, labels_of, name_of, path_of, revision_of
from kubus_scheduler.domains import Layouts
from kubus_scheduler.filters import TOPOLOGICAL, check_room
from kubus_scheduler.nodes import capacity_of, facts_of
from kubus_scheduler.queue import Queue, Waiting
from kubus_scheduler.ranking import CROWD_MAX, Group, Ranking
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.suitability import Suitability
from kubus_scheduler.templates import DEFAULT_SCHEDULER, NodeRule, Pod, Templates

RANKED_NODES_MAX = 1_000_000
"""Rankings are kept for as many templates as have so many nodes together: about 50 bytes each."""
FINISHED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Bind:
    """Bind a pod to a node."""

    pod: Pod
    node: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell that no node can take a pod."""

    pod: Pod
    message: str
    is_news: bool
    """Whether something else was said of the pod before."""


Decision = Bind | Refuse


@dataclass(slots=True, eq=False)
class _Placed:
    pod: Pod
    node: str
    waiting: Waiting[Group] | None = None
    """While only assumed: the pod's place in the queue, should binding fail."""


class Scheduler:
    """Everything known, and everything that follows from it."""

    def __init__(self, random: Random, *, name: str = DEFAULT_SCHEDULER) -> None:
        self.queue: Queue[Group] = Queue()
        self.snapshot = Snapshot()
        self._name = name
        self._random = random
        self._templates = Templates()
        self._layouts = Layouts(self.snapshot)
        self._placed: dict[Key, _Placed] = {}
        self._rankings: OrderedDict[tuple[Group, str], Ranking] = OrderedDict()
        self._suitabilities: OrderedDict[NodeRule, Suitability] = OrderedDict()
        self._freed: dict[int, None] = {}
        """Slots where there may be more room than before."""
        self._considered = 0
        """The snapshot's position up to which sleepers have been considered."""

    def set_node(self, node: Object) -> None:
        """A node is there, or has changed."""
        slot = self.snapshot.set_node(facts_of(node), capacity_of(node))
        if slot is not None:
            self._freed[slot] = None

    def remove_node(self, name: str) -> None:
        """A node is gone."""
        self.snapshot.remove_node(name)

    def set_namespace(self, namespace: Object, now: float) -> None:
        """A namespace is there, or has other labels."""
        self._namespace(name_of(namespace), labels_of(namespace), now)

    def remove_namespace(self, name: str, now: float) -> None:
        """A namespace is gone."""
        self._namespace(name, None, now)

    def _namespace(self, name: str, labels: dict[str, str] | None, now: float) -> None:
        if self.snapshot.topology.set_namespace(name, labels):
            self._forget_rankings(0)
            for group, waiting in self.queue.groups():
                if waiting.plugins & TOPOLOGICAL:
                    self.queue.wake(group, now)

    def set_pod(self, obj: Object, now: float) -> None:
        """A pod is there, or has changed."""
        pod = self._templates.pod(obj)
        placed = self._placed.get(pod.key)
        if placed is not None and placed.pod.uid == pod.uid and revision_of(obj) < placed.pod.revision:
            return  # old news
        if path_of(obj, "status", "phase") in FINISHED:
            self.remove_pod(pod.key)
        elif pod.node:
            self.queue.remove(pod.key)
            self._settle(pod, placed)
        elif placed is not None and placed.pod.uid == pod.uid and placed.waiting is not None:
            placed.waiting.pod = pod
        else:
            self._withdraw(pod.key)
            self._wait(pod, now)

    def _settle(self, pod: Pod, placed: _Placed | None) -> None:
        if placed is not None:
            same = placed.pod
            if (
                placed.node == pod.node
                and same.template is pod.template
                and same.labels == pod.labels
                and same.owner == pod.owner
                and same.priority == pod.priority
                and same.deleting == pod.deleting
            ):
                placed.waiting = None
                placed.pod = pod
                self.snapshot.renew(pod, pod.node)
                return
            self._withdraw(pod.key)
        self._placed[pod.key] = _Placed(pod, pod.node)
        self.snapshot.place(pod, pod.node)

    def _wait(self, pod: Pod, now: float) -> None:
        spec = pod.object.get("spec") or {}
        ours = (spec.get("schedulerName") or DEFAULT_SCHEDULER) == self._name
        if not ours or pod.deleting or spec.get("schedulingGates"):
            self.queue.remove(pod.key)
            return
        known = self.queue.get(pod.key)
        if known is not None and known.pod.uid == pod.uid:
            self.queue.replace(pod, now)
            return
        self.queue.remove(pod.key)
        self.queue.add(pod)

    def remove_pod(self, key: Key) -> None:
        """A pod is gone, or has come to its end."""
        self.queue.remove(key)
        self._withdraw(key)

    def _withdraw(self, key: Key) -> None:
        placed = self._placed.pop(key, None)
        if placed is not None:
            slot = self.snapshot.withdraw(placed.pod, placed.node)
            if slot is not None:
                self._freed[slot] = None

    def not_bound(self, pod: Pod, now: float) -> None:
        """The binding of a pod has certainly not happened: it waits again, backing off."""
        placed = self._placed.get(pod.key)
        if placed is None or placed.pod.uid != pod.uid or placed.waiting is None:
            return
        self._withdraw(pod.key)
        self.queue.back_off(placed.waiting, now)

    def gone(self, pod: Pod) -> None:
        """This very pod is no more, as was learnt before it was heard."""
        placed, waiting = self._placed.get(pod.key), self.queue.get(pod.key)
        if placed is not None and placed.pod.uid == pod.uid:
            self._withdraw(pod.key)
        if waiting is not None and waiting.pod.uid == pod.uid:
            self.queue.remove(pod.key)

    def forget_assumed(self, now: float) -> None:
        """What has become of the bindings under way is unknown: what was only assumed waits again."""
        for placed in [each for each in self._placed.values() if each.waiting is not None]:
            self.not_bound(placed.pod, now)

    def not_told(self, pod: Pod) -> None:
        """A refusal was not delivered: it is news the next time."""
        waiting = self.queue.get(pod.key)
        if waiting is not None:
            waiting.message = ""

    def decide(self, now: float, limit: int) -> list[Decision]:
        """The next decisions, at most `limit`; nothing is left to decide at present if there are fewer."""
        self._wake(now)
        decisions: list[Decision] = []
        while len(decisions) < limit:
            waiting = self.queue.pop(now)
            if waiting is None:
                break
            try:
                decisions.append(self._decide(waiting, now))
            except Exception as error:  # one pod that cannot be judged must not stop all others
                self.queue.back_off(waiting, now)
                decisions.append(Refuse(waiting.pod, f"the pod cannot be judged: {error!r}", is_news=False))
        return decisions

    def _decide(self, waiting: Waiting[Group], now: float) -> Decision:
        pod = waiting.pod
        group = (pod.template, self.snapshot.topology.relation(pod))
        slot = self._best(group, pod.owner)
        if slot is None:
            return self._refuse(waiting, group, now)
        facts = self.snapshot.facts[slot]
        assert facts is not None, "a ranking named an empty slot"
        self.queue.remove(pod.key)
        self._placed[pod.key] = _Placed(pod, facts.name, waiting)
        self.snapshot.place(pod, facts.name)
        return Bind(pod, facts.name)

    def _best(self, group: Group, owner: str) -> int | None:
        crowd = self.snapshot.owners.get(owner, {}) if owner else {}
        if len(crowd) > CROWD_MAX:
            return self._ranking(group, owner).best()
        return self._ranking(group).best(crowd)

    def _refuse(self, waiting: Waiting[Group], group: Group, now: float) -> Refuse:
        pod, snapshot = waiting.pod, self.snapshot
        diagnosis = self._ranking(group).diagnosis()
        message = diagnosis.message(len(snapshot.slots))
        self.queue.park(waiting, group, diagnosis.plugins, now)
        is_news, waiting.message = waiting.message != message, message
        return Refuse(pod, message, is_news)

    def next_due(self, now: float) -> float | None:
        """When to `decide` again if nothing happens: at once, at some time, or never."""
        return self.queue.next_due(now)

    def _wake(self, now: float) -> None:
        self.queue.wake_overdue(now)
        if self._considered == self.snapshot.position:
            return
        for group, waiting in self.queue.groups():
            if self._may_be_cured(group, waiting):
                self.queue.wake(group, now)
        self._considered = self.snapshot.position
        self._freed.clear()

    def _may_be_cured(self, group: Group, waiting: Waiting[Group]) -> bool:
        pod = waiting.pod
        if waiting.plugins & TOPOLOGICAL:
            return self._ranking(group).best() is not None
        suits = self._suitability(pod.template.rule)
        for slot in self._freed:
            suits.refresh(slot)
            if suits.verdicts[slot] is None and check_room(pod.template, self.snapshot, slot) is None:
                return True
        return False

    def _ranking(self, group: Group, owner: str = "") -> Ranking:
        found = self._rankings.get((group, owner))
        if found is None:
            self._forget_rankings(self._rankings_max() - 1)
            found = Ranking(
                group, self.snapshot, self._suitability(group[0].rule), self._layouts, self._random, owner=owner
            )
            self._rankings[group, owner] = found
        else:
            self._rankings.move_to_end((group, owner))
        return found

    def _rankings_max(self) -> int:
        return max(16, min(1024, RANKED_NODES_MAX // (1 + len(self.snapshot.facts))))

    def _forget_rankings(self, keep: int) -> None:
        while len(self._rankings) > keep:
            self._rankings.popitem(last=False)[1].close()

    def _suitability(self, rule: NodeRule) -> Suitability:
        found = self._suitabilities.get(rule)
        if found is None:
            while len(self._suitabilities) >= self._rankings_max():
                self._suitabilities.popitem(last=False)
            found = self._suitabilities[rule] = Suitability(rule, self.snapshot)
        else:
            self._suitabilities.move_to_end(rule)
        return found
