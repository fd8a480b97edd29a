"""When a container is started again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubus_kubelet.restarts import effective_streak, policy_of, restart_at, restarts, wait_after, worker_wait_seconds
from kubus_kubelet.states import ContainerSeen

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def ended(code=1, streak=0, ran=1):
    return ContainerSeen(
        id="c",
        name="app",
        step="exited",
        exit_code=code,
        streak=streak,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=ran),
    )


def test_the_first_restart_is_at_once_then_the_wait_doubles_to_five_minutes():
    waits = [wait_after(streak).total_seconds() for streak in range(9)]
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_good_run_starts_the_count_over():
    assert effective_streak(ended(streak=5, ran=599)) == 5
    assert effective_streak(ended(streak=5, ran=600)) == 0


def test_the_wait_counts_from_the_end():
    assert restart_at(ended(streak=2, ran=1), NOW + timedelta(seconds=1)) == NOW + timedelta(seconds=21)


@pytest.mark.parametrize(
    ("policy", "code", "expected"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_policies(policy, code, expected):
    assert restarts(policy, ended(code)) is expected


@pytest.mark.parametrize(
    ("policy", "container", "role", "expected"),
    [
        ("Always", {}, "main", "Always"),
        ("Always", {}, "init", "OnFailure"),
        ("Never", {}, "init", "Never"),
        ("Always", {}, "ephemeral", "Never"),
        ("Never", {"restartPolicy": "Always"}, "init", "Always"),
    ],
)
def test_init_containers_run_until_they_succeed(policy, container, role, expected):
    assert policy_of({"spec": {"restartPolicy": policy}}, container, role) == expected


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (6, 32), (7, 60), (10**9, 60)])
def test_a_failing_worker_pauses_longer_each_time_up_to_a_minute(failures, seconds):
    assert worker_wait_seconds(failures) == seconds


def test_a_clock_that_was_set_back_makes_nobody_wait_for_it():
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    ended = ContainerSeen("c", "app", streak=3, step="exited", finished_at=now + timedelta(hours=1))
    assert restart_at(ended, now) == now
