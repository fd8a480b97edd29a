"""Which waiting pod comes next."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_scheduler.queue import UNSCHEDULABLE_SECONDS_MAX, Queue, backoff_seconds
from kubus_scheduler.templates import Pod, Templates

TEMPLATES = Templates()
NO_ONE: frozenset[str] = frozenset()


def waiting(build: Any, name: str, **more: Any) -> Pod:
    return TEMPLATES.pod(build.pod(name, **more))


def names(queue: Queue[Any], now: float = 0.0) -> list[str]:
    found = []
    while each := queue.pop(now):
        found.append(each.pod.key.name)
    return found


def test_priority_comes_before_age_and_age_before_arrival(build: Any) -> None:
    queue: Queue[str] = Queue()
    queue.add(waiting(build, "late"))
    queue.add(waiting(build, "later"))
    queue.add(waiting(build, "old", created="2025-01-01T00:00:00Z"))
    queue.add(waiting(build, "important", priority=10))
    assert names(queue) == ["important", "old", "late", "later"]


def test_equal_pods_of_one_second_follow_one_another(build: Any) -> None:
    queue: Queue[str] = Queue()
    for number in range(6):
        queue.add(waiting(build, f"p{number}", cpu="100m" if number % 2 else "200m"))
    assert names(queue) in (
        ["p0", "p2", "p4", "p1", "p3", "p5"],
        ["p1", "p3", "p5", "p0", "p2", "p4"],
    )


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (50, 10)])
def test_each_failure_doubles_the_wait_up_to_ten_seconds(attempts: int, seconds: float) -> None:
    assert backoff_seconds(attempts) == seconds


def test_an_unschedulable_pod_sleeps_until_its_group_is_woken_and_its_back_off_is_over(build: Any) -> None:
    queue: Queue[str] = Queue()
    queue.add(waiting(build, "p"))
    tried = queue.pop(0.0)
    assert tried is not None
    queue.park(tried, "group", frozenset(("NodeResourcesFit",)), 0.0)
    assert queue.pop(100.0) is None
    assert queue.next_due(100.0) is None
    queue.wake("other", 0.5)
    assert queue.next_due(0.5) is None
    queue.wake("group", 0.5)
    assert queue.pop(0.5) is None
    assert queue.next_due(0.5) == 1.0
    assert names(queue, 1.0) == ["p"]


def test_after_five_minutes_an_unschedulable_pod_is_tried_anyway(build: Any) -> None:
    queue: Queue[str] = Queue()
    queue.add(waiting(build, "p"))
    tried = queue.pop(0.0)
    assert tried is not None
    queue.park(tried, "group", NO_ONE, 0.0)
    queue.wake_overdue(UNSCHEDULABLE_SECONDS_MAX - 1)
    assert queue.counts() == {"active": 0, "backoff": 0, "unschedulable": 1}
    queue.wake_overdue(UNSCHEDULABLE_SECONDS_MAX)
    assert names(queue, UNSCHEDULABLE_SECONDS_MAX) == ["p"]


def test_a_pod_whose_labels_change_is_tried_again_but_not_for_a_new_status(build: Any) -> None:
    queue: Queue[str] = Queue()
    queue.add(waiting(build, "p"))
    tried = queue.pop(0.0)
    assert tried is not None
    queue.park(tried, "group", NO_ONE, 0.0)
    queue.replace(waiting(build, "p"), 20.0)
    assert queue.pop(20.0) is None
    queue.replace(waiting(build, "p", labels={"a": "b"}), 20.0)
    assert names(queue, 20.0) == ["p"]


def test_a_pod_that_gains_priority_overtakes(build: Any) -> None:
    queue: Queue[str] = Queue()
    queue.add(waiting(build, "a"))
    queue.add(waiting(build, "b"))
    queue.replace(waiting(build, "b", priority=1), 0.0)
    assert names(queue) == ["b", "a"]


def test_what_was_removed_never_comes(build: Any) -> None:
    queue: Queue[str] = Queue()
    pod = waiting(build, "p")
    queue.add(pod)
    queue.remove(pod.key)
    assert queue.pop(0.0) is None
    assert pod.key not in queue
    assert len(queue) == 0


@settings(max_examples=60)
@given(steps=st.lists(st.tuples(st.sampled_from("aprwbt"), st.integers(0, 4)), max_size=60))
def test_every_waiting_pod_is_in_exactly_one_place(build: Any, steps: list[tuple[str, int]]) -> None:
    queue: Queue[int] = Queue()
    now = 0.0
    for what, number in steps:
        pod = waiting(build, f"p{number}")
        match what:
            case "a" if pod.key not in queue:
                queue.add(pod)
            case "p" | "b":
                tried = queue.pop(now)
                if tried is not None and what == "p":
                    queue.park(tried, number, NO_ONE, now)
                elif tried is not None:
                    queue.back_off(tried, now)
            case "r":
                queue.remove(pod.key)
            case "w":
                queue.wake(number, now)
            case "t":
                now += number
        counts = queue.counts()
        assert sum(counts.values()) == len(queue)
        assert min(counts.values()) >= 0
    for number in range(5):
        queue.wake(number, now)
    left = len(queue)
    assert len(names(queue, now + 1000)) == left, "each comes once, and none is lost"
