"""What controllers ask of pods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubus.model.objects import Object
from kubus_controllers.reconcilers.pods_of import available_in, is_active, is_ready, soonest, without_owner

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def pod(phase: str = "Running", ready: str = "True", since: str = "2026-01-01T11:59:50Z") -> Object:
    return {"status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": since}]}}


@pytest.mark.parametrize(
    ("given", "seconds", "expected"),
    [(pod(), 0, 0), (pod(), 5, 0), (pod(), 10, 0), (pod(), 30, 20), (pod(ready="False"), 0, None), ({}, 0, None)],
)
def test_a_pod_is_available_once_it_was_ready_long_enough(given: Object, seconds: int, expected: int | None) -> None:
    assert available_in(given, seconds, NOW) == (None if expected is None else timedelta(seconds=expected))


def test_finished_and_leaving_pods_are_not_active() -> None:
    assert is_active(pod())
    assert not is_active(pod("Succeeded"))
    assert not is_active({**pod(), "metadata": {"deletionTimestamp": "2026-01-01T12:00:00Z"}})
    assert not is_ready({})


def test_the_soonest_wait_leaves_out_what_is_over() -> None:
    second = timedelta(seconds=1)
    assert soonest([None, timedelta(0), 3 * second, second]) == second
    assert soonest([None, timedelta(0)]) is None


def test_one_owner_is_taken_out_and_the_others_stay() -> None:
    owners = [{"uid": "a"}, {"uid": "b"}]
    assert without_owner({"metadata": {"ownerReferences": owners}}, "a") == [{"uid": "b"}]
