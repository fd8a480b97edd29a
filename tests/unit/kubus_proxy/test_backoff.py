"""When to try again."""

from __future__ import annotations

from kubus_proxy.backoff import FIRST_SECONDS, LONGEST_SECONDS, Backoff


def test_pauses_double_up_to_the_longest_and_begin_anew_after_success() -> None:
    backoff: Backoff[str] = Backoff()
    now, pauses = 0.0, []
    for attempt in range(12):
        assert backoff.refuse("a", now) is (attempt == 0)
        pause = backoff.wait_seconds(now)
        assert pause is not None
        assert backoff.due(now) == set()
        pauses.append(pause)
        now += pause
        assert backoff.due(now) == {"a"}
    assert pauses[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert pauses[-1] == LONGEST_SECONDS
    backoff.accept("a")
    assert (backoff.standing(), backoff.wait_seconds(now)) == (set(), None)
    assert backoff.refuse("a", now)


def test_the_first_that_is_due_ends_the_wait() -> None:
    backoff: Backoff[str] = Backoff()
    backoff.refuse("a", 0.0)
    backoff.refuse("a", 0.0)
    backoff.refuse("b", 0.5)
    assert backoff.wait_seconds(0.5) == FIRST_SECONDS
    assert backoff.standing() == {"a", "b"}
