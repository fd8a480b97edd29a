"""Who is served first when more is asked than can be done: levels with seats, and fair queues within them.

    exempt            system:masters, health checks, the apiserver itself
    leader-election   leases of the control plane's leaders
    node-high         a kubelet's own lease and node
    system            the nodes otherwise
    workload-high     the control plane otherwise
    workload-low      ServiceAccounts
    global-default    everybody else

Each level has so many seats; who finds none free waits in a queue of their own, and queues of a level take turns, so
that a flood of one user delays that user. A queue is bounded, and so is the wait: beyond that the answer is 429.
Levels share nothing, so that no flood of users keeps a leader from renewing its lease.

This module decides and keeps the books; `kubus_apiserver.doors.inflight` waits. After Kubernetes' API Priority
and Fairness (https://kubernetes.io/docs/concepts/cluster-administration/flow-control/), with fixed levels: they are
shown as FlowSchemas and PriorityLevelConfigurations (`flow_objects`), and answers name the two they belong to, but
writing such objects steers nothing.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from enum import Enum, auto
from typing import NamedTuple

from kubus_apiserver.calls import MASTERS, User

_HEALTH = frozenset({"healthz", "livez", "readyz"})
_LEADERS = frozenset({"system:kube-scheduler", "system:kube-controller-manager"})
_CONTROL_PLANE = frozenset({*_LEADERS, "system:apiserver", "system:relay", "system:kube-proxy"})
_NODES, _ACCOUNTS = "system:nodes", "system:serviceaccounts"
_OF_KUBE_SYSTEM = "system:serviceaccounts:kube-system"
_LEASES, _NODE_PARTS = "leases", frozenset({"nodes", "nodes/status"})


class Level(NamedTuple):
    """What a level may have under way at once, and waiting."""

    name: str
    seats: int
    waiting_max: int
    """Of all users together."""
    waiting_max_user: int


EXEMPT = "exempt"
LEVELS = (
    Level("leader-election", 30, 200, 100),
    Level("node-high", 60, 6000, 50),
    Level("system", 60, 2000, 500),
    Level("workload-high", 120, 2000, 500),
    Level("workload-low", 60, 1000, 200),
    Level("global-default", 40, 1000, 200),
)


class Asked(NamedTuple):
    """A request as far as fairness looks at it. `resource` is "" for a path, `nodes/status` for a subresource."""

    verb: str
    resource: str = ""
    namespace: str = ""
    path: str = ""


class Flow(NamedTuple):
    """Which requests a request is one of."""

    schema: str
    """What matched it, by the name of Kubernetes' FlowSchema."""
    level: str


_MASTERS, _PROBES = Flow("exempt", EXEMPT), Flow("probes", EXEMPT)
_LEADING = Flow("system-leader-election", "leader-election")
_NODE_HIGH, _OF_NODES = Flow("system-node-high", "node-high"), Flow("system-nodes", "system")
_SCHEDULING = Flow("kube-scheduler", "workload-high")
_CONTROLLING = Flow("kube-controller-manager", "workload-high")
_OF_SYSTEM_ACCOUNTS = Flow("kube-system-service-accounts", "workload-high")
_OF_ACCOUNTS, _DEFAULT = Flow("service-accounts", "workload-low"), Flow("global-default", "global-default")


def flow_of(user: User, asked: Asked) -> Flow:
    """The flow of a request."""
    groups = user.groups
    if MASTERS in groups:
        return _MASTERS
    if not asked.resource and asked.path.strip("/").partition("/")[0] in _HEALTH:
        return _PROBES
    if asked.resource == _LEASES and (user.name in _LEADERS or _OF_KUBE_SYSTEM in groups):
        return _LEADING
    if _NODES in groups:
        return _NODE_HIGH if asked.resource == _LEASES or asked.resource in _NODE_PARTS else _OF_NODES
    if user.name in _CONTROL_PLANE:
        return _SCHEDULING if user.name == "system:kube-scheduler" else _CONTROLLING
    if _OF_KUBE_SYSTEM in groups:
        return _OF_SYSTEM_ACCOUNTS
    return _OF_ACCOUNTS if _ACCOUNTS in groups else _DEFAULT


class Verdict(Enum):
    """What becomes of a request that arrives."""

    SERVE = auto()
    WAIT = auto()
    REFUSE = auto()


class Seats:
    """The books of one level. Tickets are the caller's numbers for requests."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.taken = 0
        self.waiting = 0
        self._queues: OrderedDict[str, deque[int]] = OrderedDict()

    def arrived(self, user: str, ticket: int) -> Verdict:
        """Take a seat, a place in the user's queue, or neither."""
        if self.taken < self.level.seats:
            self.taken += 1
            return Verdict.SERVE
        queue = self._queues.get(user)
        if self.waiting >= self.level.waiting_max or (queue and len(queue) >= self.level.waiting_max_user):
            return Verdict.REFUSE
        if queue is None:
            queue = self._queues[user] = deque()
        queue.append(ticket)
        self.waiting += 1
        return Verdict.WAIT

    def left(self) -> int | None:
        """A seat is free: the ticket that takes it, or None. Users take turns."""
        if not self._queues:
            self.taken -= 1
            return None
        user, queue = next(iter(self._queues.items()))
        ticket = queue.popleft()
        self.waiting -= 1
        if queue:
            self._queues.move_to_end(user)
        else:
            del self._queues[user]
        return ticket

    def gave_up(self, user: str, ticket: int) -> bool:
        """A waiting request waits no longer; False if it had been given a seat meanwhile."""
        queue = self._queues.get(user)
        if queue is None or ticket not in queue:
            return False
        queue.remove(ticket)
        self.waiting -= 1
        if not queue:
            del self._queues[user]
        return True
