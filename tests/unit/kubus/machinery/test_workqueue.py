"""When keys are worked on, and with which cause."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kubus.machinery.workqueue import BACKOFF_SECONDS_MAX, HOLD_SECONDS_MAX, WorkQueue
from kubus.model.objects import Key

A, B, C = (Key("pods.core", "default", name) for name in "abc")


@pytest.fixture
def queue() -> WorkQueue:
    return WorkQueue(Random(1))


def test_keys_come_in_the_order_in_which_they_are_due(queue: WorkQueue) -> None:
    queue.wake(A, 3.0)
    queue.wake(B, 1.0)
    queue.wake(C, 2.0)
    assert queue.take(0.5) is None
    assert queue.next_due() == 1.0
    assert [queue.take(5.0).key for _ in range(3)] == [B, C, A]
    assert queue.take(5.0) is None


def test_a_key_waits_once_with_its_earliest_time_and_its_newest_cause(queue: WorkQueue) -> None:
    queue.wake(A, 5.0, cause=7)
    queue.wake(A, 1.0, cause=9)
    queue.wake(A, 3.0, cause=8)
    assert len(queue) == 1
    assert queue.take(1.0) == (A, 9)
    assert queue.take(9.0) is None


def test_a_key_is_never_worked_on_twice_at_a_time(queue: WorkQueue) -> None:
    queue.wake(A, 0.0, cause=1)
    queue.take(0.0)
    queue.wake(A, 1.0, cause=2)
    assert queue.take(1.0) is None
    assert queue.next_due() is None
    queue.done(A)
    assert queue.take(1.0) == (A, 2)
    queue.done(A)
    assert queue.take(9.0) is None


def test_failures_pause_longer_each_time_up_to_a_limit(queue: WorkQueue) -> None:
    now, pauses = 0.0, []
    queue.wake(A, now, cause=5)
    for _ in range(20):
        assert queue.take(now) == (A, 5)
        queue.failed(A, now, 5)
        due = queue.next_due()
        assert due is not None
        pauses.append(due - now)
        now = due
    assert 0.005 <= pauses[0] <= 0.01
    assert pauses[:10] == sorted(pauses[:10])
    assert BACKOFF_SECONDS_MAX / 2 <= pauses[-1] <= BACKOFF_SECONDS_MAX


def test_success_forgets_failures(queue: WorkQueue) -> None:
    for _ in range(5):
        queue.wake(A, 0.0)
        queue.take(0.0)
        queue.failed(A, 0.0)
        queue.wake(A, 0.0)
    assert queue.failures(A) == 5
    queue.take(0.0)
    queue.done(A)
    assert queue.failures(A) == 0


def test_news_does_not_wait_for_a_back_off(queue: WorkQueue) -> None:
    queue.wake(A, 0.0)
    queue.take(0.0)
    queue.failed(A, 0.0)
    queue.wake(A, 0.001, cause=3)
    assert queue.take(0.001) == (A, 3)


def test_a_held_key_waits_for_the_caches_that_were_written_to(queue: WorkQueue) -> None:
    queue.wake(A, 0.0)
    queue.take(0.0)
    queue.hold(A, "pods.core", 10, now=0.0)
    queue.hold(A, "replicasets.apps", 12, now=0.0)
    queue.done(A)
    queue.wake(A, 0.0, cause=9)
    assert queue.take(1.0) is None
    queue.progress("pods.core", 20)
    queue.progress("replicasets.apps", 11)
    assert queue.take(1.0) is None
    queue.progress("replicasets.apps", 12)
    assert queue.take(1.0) == (A, 9)


def test_a_hold_is_not_for_ever(queue: WorkQueue) -> None:
    queue.hold(A, "pods.core", 10, now=1.0)
    queue.wake(A, 2.0)
    assert queue.next_due() == 1.0 + HOLD_SECONDS_MAX
    assert queue.take(1.0 + HOLD_SECONDS_MAX - 0.1) is None
    assert queue.take(1.0 + HOLD_SECONDS_MAX) == (A, None)
    queue.progress("pods.core", 10)


def test_a_hold_without_a_wake_gives_nothing_out(queue: WorkQueue) -> None:
    queue.hold(A, "pods.core", 10, now=0.0)
    queue.progress("pods.core", 10)
    assert queue.take(100.0) is None
    assert queue.next_due() is None


def test_a_forgotten_key_has_no_past(queue: WorkQueue) -> None:
    queue.wake(A, 0.0)
    queue.take(0.0)
    queue.hold(A, "pods.core", 10, now=0.0)
    queue.done(A)
    queue.forget(A)
    queue.wake(A, 1.0)
    assert queue.take(1.0) == (A, None)


class QueueMachine(RuleBasedStateMachine):
    """Anything in any order: what is woken is given out, never twice at a time, never while held."""

    keys = st.sampled_from([A, B, C])

    def __init__(self) -> None:
        super().__init__()
        self.queue = WorkQueue(Random(1))
        self.now = 0.0
        self.seen = 0
        self.woken: set[Key] = set()
        self.working: set[Key] = set()
        self.held: dict[Key, int] = {}

    @rule(key=keys, delay=st.sampled_from([0.0, 0.5]))
    def wake(self, key: Key, delay: float) -> None:
        self.queue.wake(key, self.now + delay)
        self.woken.add(key)

    @rule(seconds=st.sampled_from([0.01, 1.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def take(self) -> None:
        taken = self.queue.take(self.now)
        if taken is not None:
            assert taken.key in self.woken, "only what was woken"
            assert taken.key not in self.working, "never twice at a time"
            assert self.held.get(taken.key, 0) <= self.seen, "never while held"
            self.woken.discard(taken.key)
            self.working.add(taken.key)

    @precondition(lambda self: self.working)
    @rule(fails=st.booleans(), wrote=st.integers(0, 3))
    def end(self, fails: bool, wrote: int) -> None:
        key = min(self.working)
        self.working.discard(key)
        if wrote:
            self.held[key] = self.seen + wrote
            self.queue.hold(key, "pods.core", self.seen + wrote, self.now)
        if fails:
            self.queue.failed(key, self.now)
            self.woken.add(key)
        else:
            self.queue.done(key)

    @rule(by=st.integers(0, 3))
    def progress(self, by: int) -> None:
        self.seen += by
        self.queue.progress("pods.core", self.seen)

    @invariant()
    def counts(self) -> None:
        assert len(self.queue) == len(self.woken)

    def teardown(self) -> None:
        for key in list(self.working):
            self.queue.done(key)
        self.working.clear()
        self.queue.progress("pods.core", self.seen + 100)
        given = set()
        while (taken := self.queue.take(self.now + 1000)) is not None:
            given.add(taken.key)
        assert given == self.woken, "whatever was woken is given out in the end"


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=60, stateful_step_count=40)
