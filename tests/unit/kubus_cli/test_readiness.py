"""How long `kubus up` waits: for as long as anything gets on."""

from hypothesis import given
from hypothesis import strategies as st

from kubus_cli.readiness import PATIENCE_SECONDS, PATIENCE_SECONDS_CRASHING, Patience, not_ready


def seen(name, *, pid=0, ready=False, restarts=0, state="starting", reason=""):
    return {"instance": name, "pid": pid, "ready": ready, "restarts": restarts, "state": state, "reason": reason}


@given(st.lists(st.floats(0, PATIENCE_SECONDS), min_size=1, max_size=30))
def test_a_machine_however_slow_is_waited_for_while_something_gets_on(pauses):
    patience, now, instances = Patience(0), 0.0, []
    for number, pause in enumerate(pauses):
        now += pause
        instances.append(seen(f"kubelet-{number}", pid=number + 1))
        assert not patience.is_over(instances, now)


def test_silence_is_given_up():
    patience = Patience(0)
    assert not patience.is_over([seen("etcd", pid=1)], 10)
    assert not patience.is_over([seen("etcd", pid=1)], 10 + PATIENCE_SECONDS)
    assert patience.is_over([seen("etcd", pid=1)], 11 + PATIENCE_SECONDS)


def test_a_component_that_crashes_again_and_again_is_no_progress_and_given_up_sooner():
    patience, crashing = Patience(0), seen("relay", pid=1, restarts=9)
    assert not patience.is_over([crashing], 0)
    assert not patience.is_over([crashing, seen("etcd", pid=2)], PATIENCE_SECONDS_CRASHING)
    assert not patience.is_over([crashing, seen("etcd", pid=2)], 2 * PATIENCE_SECONDS_CRASHING)
    assert patience.is_over([{**crashing, "pid": 7}, seen("etcd", pid=2)], 2 * PATIENCE_SECONDS_CRASHING + 1)


def test_the_failure_names_what_is_not_ready_and_where_to_look(cluster):
    status = {"instances": [seen("etcd", ready=True), seen("relay", state="back-off", reason="killed by signal 9")]}
    failure = not_ready(cluster, status, "nothing gets on")
    assert failure.message == "nothing gets on: relay (back-off: killed by signal 9)"
    assert failure.advice == f"see: kubus logs --name kubus --home {cluster.home} relay"
