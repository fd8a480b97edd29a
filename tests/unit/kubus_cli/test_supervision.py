"""What the supervisor starts, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_cli.components import Component
from kubus_cli.supervision import PAUSE_SECONDS_MAX, STEADY_SECONDS, Supervision, pause_seconds

CHAIN = [Component("etcd"), Component("apiserver", after=("etcd",)), Component("scheduler", after=("apiserver",))]


def names(due):
    return [each.instance for each in due[0]]


def begin(supervision, name, pid, now):
    supervision.starting(name, now)
    supervision.started(name, pid, now)


def ready(supervision, name, now):
    supervision.noticed(name, True, "", now)


@pytest.fixture
def supervision():
    supervision = Supervision()
    supervision.add(CHAIN)
    return supervision


def test_what_others_need_is_started_first(supervision):
    assert names(supervision.due(0)) == ["etcd"]
    begin(supervision, "etcd", 10, 0)
    assert names(supervision.due(1)) == []
    ready(supervision, "etcd", 1)
    assert names(supervision.due(1)) == ["apiserver"]


def test_a_crashed_one_is_started_again_although_what_it_needs_is_away(supervision):
    for pid, name in enumerate(("etcd", "apiserver"), 10):
        begin(supervision, name, pid, 0)
        ready(supervision, name, 1)
    supervision.ended(10, -9, 50)
    supervision.ended(11, -9, 50)
    assert names(supervision.due(50)) == ["etcd", "apiserver", "scheduler"]


def test_pauses_grow_with_failures_in_a_row_and_begin_anew_after_a_steady_run(supervision):
    now, pauses = 0.0, []
    for pid in range(10, 14):
        begin(supervision, "etcd", pid, now)
        supervision.ended(pid, 1, now)
        _, again = supervision.due(now)
        pauses.append(0.0 if again is None else again - now)
        now = again or now
    assert pauses == [0.0, *(pytest.approx(each) for each in (0.1, 0.2, 0.4))]
    begin(supervision, "etcd", 20, now)
    supervision.ended(20, 1, now + STEADY_SECONDS)
    assert names(supervision.due(now + STEADY_SECONDS)) == ["etcd"]
    assert supervision.instances["etcd"].restarts == 5


@given(st.integers(0, 10_000))
def test_no_pause_is_longer_than_the_longest(failures):
    assert 0 <= pause_seconds(failures) <= PAUSE_SECONDS_MAX


@pytest.mark.parametrize(("status", "state"), [(78, "failed"), (127, "absent")])
def test_what_a_restart_cannot_help_is_left_and_what_waits_for_it_is_hopeless(supervision, status, state):
    begin(supervision, "etcd", 10, 0)
    supervision.ended(10, status, 0)
    shown = {each["instance"]: each for each in supervision.shown(0)}
    assert supervision.due(100) == ([], None)
    assert shown["etcd"]["state"] == state
    assert all(each["hopeless"] for each in shown.values())
    supervision.restart_now("etcd")
    assert names(supervision.due(100)) == ["etcd"]


def test_dependents_end_first_and_nothing_starts_any_more(supervision):
    begin(supervision, "etcd", 10, 0)
    ready(supervision, "etcd", 0)
    assert supervision.stop() == [["scheduler"], ["apiserver"], ["etcd"]]
    supervision.ended(10, -15, 1)
    assert supervision.due(100) == ([], None)
    assert {each.state for each in supervision.instances.values()} == {"stopped"}


def test_a_notice_may_be_faster_than_the_news_of_the_process(supervision):
    supervision.starting("etcd", 0)
    ready(supervision, "etcd", 1)
    supervision.started("etcd", 10, 2)
    assert supervision.instances["etcd"].state == "ready"
    assert supervision.instances["etcd"].ready_seconds == 1


def test_components_are_taken_on_once(supervision):
    new = Component("kubelet-node-2")
    assert supervision.add([*CHAIN, new]) == [new]


def test_all_are_ready_when_each_is(supervision):
    for pid, each in enumerate(CHAIN, 10):
        begin(supervision, each.instance, pid, 0)
        assert not supervision.all_ready()
        ready(supervision, each.instance, 0)
    assert supervision.all_ready()
    supervision.noticed("etcd", False, "disk full", 1)
    assert not supervision.all_ready()
    assert supervision.shown(1)[0]["reason"] == "disk full"


def test_what_ends_with_its_work_done_is_ready_and_lets_others_start():
    supervision = Supervision()
    supervision.add([Component("etcd-access", ends=True), Component("apiserver", after=("etcd-access",))])
    begin(supervision, "etcd-access", 10, 0)
    assert names(supervision.due(1)) == []
    supervision.ended(10, 0, 2)
    assert names(supervision.due(2)) == ["apiserver"]
    shown = {each["instance"]: each for each in supervision.shown(2)}["etcd-access"]
    assert (shown["state"], shown["ready"], shown["readySeconds"], shown["restarts"]) == ("done", True, 2, 0)
    supervision.restart_now("etcd-access")
    assert names(supervision.due(2)) == ["etcd-access", "apiserver"]


def test_what_is_to_end_but_fails_is_started_again():
    supervision = Supervision()
    supervision.add([Component("etcd-access", ends=True)])
    begin(supervision, "etcd-access", 10, 0)
    supervision.ended(10, 1, 1)
    assert names(supervision.due(1)) == ["etcd-access"]


def test_what_is_not_wanted_any_more_is_not_started_again_and_forgotten(supervision):
    for pid, each in enumerate(CHAIN, 10):
        begin(supervision, each.instance, pid, 0)
        ready(supervision, each.instance, 0)
    assert supervision.retire(CHAIN) == []
    assert supervision.retire(CHAIN[:2]) == ["scheduler"]
    supervision.ended(12, -15, 1)
    assert supervision.due(100) == ([], None)
    supervision.forget(["scheduler"])
    assert list(supervision.instances) == ["etcd", "apiserver"]
    assert supervision.add(CHAIN) == [CHAIN[2]], "and may come back"
    assert names(supervision.due(100)) == ["scheduler"]


def test_a_stand_by_is_ready_and_shows_what_it_waits_for(supervision):
    begin(supervision, "etcd", 10, 0)
    supervision.noticed("etcd", True, "waits for the lease", 1)
    assert supervision.shown(1)[0] == supervision.shown(1)[0] | {"ready": True, "reason": "waits for the lease"}
    supervision.noticed("etcd", True, "", 2)
    assert supervision.shown(2)[0]["reason"] == ""
