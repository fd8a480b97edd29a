"""What a row of probe results means."""

from __future__ import annotations

import pytest

from kubus_kubelet.probes import Outcome, after, failed_for_good, initial, port_number, verdict
from kubus_kubelet.states import ProbeVerdict

PASSED, FAILED = Outcome(True), Outcome(False, "no")


def row(kind, probe, outcomes, *, adopted=False):
    streak = initial(kind, adopted=adopted)
    for outcome in outcomes:
        streak = after(streak, probe, outcome)
    return streak


@pytest.mark.parametrize(
    ("outcomes", "ready"),
    [
        ("", False),
        ("+", True),
        ("-", False),
        ("+-", True),
        ("+--", True),
        ("+---", False),
        ("+--+--", True),
        ("---+", True),
    ],
)
def test_readiness_needs_three_failures_to_fall_and_one_success_to_rise(outcomes, ready):
    assert row("readiness", {}, [PASSED if each == "+" else FAILED for each in outcomes]).holds is ready


def test_thresholds_are_the_probes_own():
    probe = {"successThreshold": 2, "failureThreshold": 1}
    assert not row("readiness", probe, [PASSED]).holds
    assert row("readiness", probe, [PASSED, PASSED]).holds
    assert not row("readiness", probe, [PASSED, PASSED, FAILED]).holds


def test_what_an_earlier_kubelet_saw_ready_stays_ready():
    assert row("readiness", {}, [], adopted=True).holds
    assert row("readiness", {}, [FAILED, FAILED], adopted=True).holds


def test_liveness_and_startup_restart_but_readiness_never():
    for kind, expected in (("liveness", True), ("startup", True), ("readiness", False)):
        assert failed_for_good(kind, row(kind, {}, [FAILED] * 3), {}) is expected
    assert not failed_for_good("liveness", row("liveness", {}, [FAILED] * 2), {})


def test_nothing_is_ready_before_it_has_started():
    streaks = {"startup": initial("startup"), "readiness": row("readiness", {}, [PASSED])}
    assert verdict(streaks) == ProbeVerdict(started=False, ready=False)
    assert verdict({}) == ProbeVerdict()


def test_ports_go_by_number_or_name():
    container = {"ports": [{"name": "web", "containerPort": 80}]}
    assert [port_number(each, container) for each in (8080, "8080", "web")] == [8080, 8080, 80]
    with pytest.raises(ValueError, match="couldn't find port: none"):
        port_number("none", container)
