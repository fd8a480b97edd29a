"""Who is served first: levels by user and resource, seats, and turns within a level."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_apiserver.calls import ANONYMOUS, MASTERS, User
from kubus_apiserver.doors.fairness import EXEMPT, LEVELS, Asked, Level, Seats, Verdict, flow_of
from kubus_apiserver.doors.flow_objects import flow_schemas

NODE = User("system:node:n1", ("system:nodes",))
SCHEDULER = User("system:kube-scheduler")
ACCOUNT = User("system:serviceaccount:team:app", ("system:serviceaccounts", "system:serviceaccounts:team"))
SYSTEM_ACCOUNT = User("system:serviceaccount:kube-system:x", ("system:serviceaccounts:kube-system",))


@pytest.mark.parametrize(
    ("user", "asked", "level"),
    [
        (User("root", (MASTERS,)), Asked("list", "pods"), EXEMPT),
        (ANONYMOUS, Asked("get", path="/readyz"), EXEMPT),
        (ANONYMOUS, Asked("get", path="/readyz/etcd"), EXEMPT),
        (ANONYMOUS, Asked("get", path="/version"), "global-default"),
        (SCHEDULER, Asked("update", "leases", "kube-system"), "leader-election"),
        (SYSTEM_ACCOUNT, Asked("update", "leases", "kube-system"), "leader-election"),
        (SCHEDULER, Asked("create", "pods/binding", "default"), "workload-high"),
        (NODE, Asked("update", "leases", "kube-node-lease"), "node-high"),
        (NODE, Asked("patch", "nodes/status"), "node-high"),
        (NODE, Asked("list", "pods"), "system"),
        (ACCOUNT, Asked("update", "leases", "team"), "workload-low"),
        (User("alice"), Asked("list", "pods"), "global-default"),
    ],
)
def test_levels(user, asked, level):
    flow = flow_of(user, asked)
    assert flow.level == level
    assert level == EXEMPT or level in {each.name for each in LEVELS}
    shown = {each["metadata"]["name"]: each["spec"] for each in flow_schemas()}
    assert shown[flow.schema]["priorityLevelConfiguration"]["name"] == level


def test_users_take_turns_so_that_a_flood_delays_itself():
    seats = Seats(Level("x", 1, 100, 50))
    assert seats.arrived("flood", 0) is Verdict.SERVE
    for ticket in range(1, 31):
        assert seats.arrived("flood", ticket) is Verdict.WAIT
    assert seats.arrived("alice", 100) is Verdict.WAIT
    assert [seats.left(), seats.left()] == [1, 100]


def test_a_full_queue_refuses_its_user_and_nobody_else():
    seats = Seats(Level("x", 1, 100, 2))
    seats.arrived("flood", 0)
    assert [seats.arrived("flood", ticket) for ticket in (1, 2, 3)] == [Verdict.WAIT, Verdict.WAIT, Verdict.REFUSE]
    assert seats.arrived("alice", 4) is Verdict.WAIT


def test_who_gives_up_leaves_no_place_behind():
    seats = Seats(Level("x", 1, 10, 10))
    seats.arrived("a", 0)
    seats.arrived("a", 1)
    assert seats.gave_up("a", 1)
    assert not seats.gave_up("a", 1)
    assert (seats.left(), seats.taken, seats.waiting) == (None, 0, 0)


@given(st.lists(st.tuples(st.sampled_from(["arrive", "leave", "give up"]), st.sampled_from("abc")), max_size=80))
@settings(max_examples=150)
def test_the_books_balance(steps):
    level = Level("x", 2, 6, 3)
    seats, served, waiting = Seats(level), 0, []
    for ticket, (step, user) in enumerate(steps):
        if step == "arrive":
            verdict = seats.arrived(user, ticket)
            served += verdict is Verdict.SERVE
            waiting += [(user, ticket)] if verdict is Verdict.WAIT else []
        elif step == "leave" and served:
            following = seats.left()
            if following is None:
                served -= 1
            waiting = [each for each in waiting if each[1] != following]
        elif step == "give up" and waiting:
            assert seats.gave_up(*waiting.pop())
        assert (seats.taken, seats.waiting) == (served, len(waiting)), "every seat and every place is accounted for"
        assert served <= level.seats, "never more served than there are seats"
        assert not waiting or served == level.seats, "nobody waits while a seat is free"
