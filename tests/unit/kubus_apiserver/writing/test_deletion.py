"""What a delete does, decided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicationcontrollers import KIND as CONTROLLERS
from kubus.model.times import rfc3339
from kubus_apiserver.writing.deletion import Keep, Mark, Remove, check_options, check_preconditions, decide, is_released

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)


def obj(*finalizers: str, **metadata: Any) -> dict[str, Any]:
    held = {"finalizers": list(finalizers)} if finalizers else {}
    return {"metadata": {"name": "x", "uid": "u", **held, **metadata}}


def pod(**changes: Any) -> dict[str, Any]:
    return {**obj(), "spec": {"nodeName": "n", "terminationGracePeriodSeconds": 20}, **changes}


def test_what_nothing_holds_is_removed() -> None:
    assert decide(CONFIG_MAPS, obj(), {}, NOW) == Remove()


def test_finalizers_hold() -> None:
    marked = decide(CONFIG_MAPS, obj("a/b"), {}, NOW)
    assert isinstance(marked, Mark)
    assert marked.object["metadata"]["deletionTimestamp"] == rfc3339(NOW)
    assert decide(CONFIG_MAPS, marked.object, {}, LATER) == Keep()


@pytest.mark.parametrize(
    ("before", "policy", "after"),
    [
        ((), "Foreground", ["foregroundDeletion"]),
        ((), "Orphan", ["orphan"]),
        (("a/b", "orphan"), "Foreground", ["a/b", "foregroundDeletion"]),
        (("a/b", "foregroundDeletion"), "Background", ["a/b"]),
        (("orphan",), None, ["orphan"]),
    ],
)
def test_how_dependents_go_stands_in_finalizers(before: tuple[str, ...], policy: str | None, after: list[str]) -> None:
    marked = decide(CONFIG_MAPS, obj(*before), {"propagationPolicy": policy} if policy else {}, NOW)
    assert isinstance(marked, Mark)
    assert marked.object["metadata"]["finalizers"] == after


@pytest.mark.parametrize("kind", (CONTROLLERS, JOBS), ids=lambda kind: kind.plural)
@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        ((), {}, ["orphan"]),
        (("a/b",), {}, ["a/b", "orphan"]),
        (("foregroundDeletion",), {}, ["foregroundDeletion"]),
        (("orphan",), {"propagationPolicy": "Background"}, None),
        ((), {"propagationPolicy": "Background"}, None),
        ((), {"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ((), {"orphanDependents": False}, None),
        ((), {"orphanDependents": True}, ["orphan"]),
    ],
)
def test_the_oldest_workloads_leave_their_pods(kind: Any, before: Any, options: Any, after: list[str] | None) -> None:
    verdict = decide(kind, obj(*before), options, NOW)
    if after is None:
        assert verdict == Remove()
    else:
        assert isinstance(verdict, Mark) and verdict.object["metadata"]["finalizers"] == after


def test_a_pod_on_a_node_gets_its_grace() -> None:
    marked = decide(PODS, pod(), {}, NOW)
    assert isinstance(marked, Mark)
    assert marked.object["metadata"]["deletionGracePeriodSeconds"] == 20
    assert marked.object["metadata"]["deletionTimestamp"] == rfc3339(NOW + timedelta(seconds=20))
    shorter = decide(PODS, marked.object, {"gracePeriodSeconds": 5}, LATER)
    assert isinstance(shorter, Mark)
    assert shorter.object["metadata"]["deletionTimestamp"] == rfc3339(NOW + timedelta(seconds=5))
    assert decide(PODS, marked.object, {"gracePeriodSeconds": 60}, LATER) == Keep()
    assert decide(PODS, marked.object, {"gracePeriodSeconds": 0}, LATER) == Remove()


@pytest.mark.parametrize(
    "idle",
    [pod(spec={}), pod(status={"phase": "Succeeded"}), pod(status={"phase": "Failed"})],
)
def test_a_pod_that_runs_nowhere_goes_at_once(idle: dict[str, Any]) -> None:
    assert decide(PODS, idle, {"gracePeriodSeconds": 30}, NOW) == Remove()


def test_a_namespace_waits_for_its_contents() -> None:
    namespace = {**obj(), "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    marked = decide(NAMESPACES, namespace, {}, NOW)
    assert isinstance(marked, Mark)
    assert marked.object["status"]["phase"] == "Terminating"
    assert not is_released(NAMESPACES, marked.object)
    assert is_released(NAMESPACES, {**marked.object, "spec": {}})


def test_another_object_than_the_one_meant_is_spared() -> None:
    with pytest.raises(StatusError, match="UID in precondition: other"):
        check_preconditions(CONFIG_MAPS, obj(), {"preconditions": {"uid": "other"}})


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"propagationPolicy": "Sideways"}, 422),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, 422),
        ({"gracePeriodSeconds": "x"}, 400),
        ({"preconditions": []}, None),
        ({"preconditions": "x"}, 400),
        ({"kind": "Pod"}, 400),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], code: int | None) -> None:
    if code is None:
        check_options(options)
        return
    with pytest.raises(StatusError) as refused:
        check_options(options)
    assert refused.value.code == code


@given(
    st.lists(st.sampled_from(["a/b", "orphan", "foregroundDeletion"]), unique=True, max_size=3),
    st.sampled_from([None, "Background", "Foreground", "Orphan"]),
    st.one_of(st.none(), st.integers(min_value=-5, max_value=100)),
)
def test_deleting_twice_never_undoes_a_deletion(finalizers: list[str], policy: str | None, grace: int | None) -> None:
    options: dict[str, Any] = {"propagationPolicy": policy} if policy else {}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    start = pod(metadata={"name": "x", "uid": "u", "finalizers": finalizers})
    first = decide(PODS, start, options, NOW)
    if isinstance(first, Mark):
        second = decide(PODS, first.object, options, LATER)
        left = second.object if isinstance(second, Mark) else first.object
        assert left["metadata"]["deletionTimestamp"] <= first.object["metadata"]["deletionTimestamp"]
