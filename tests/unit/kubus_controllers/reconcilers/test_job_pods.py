"""Which pods of a Job are one too many, and which are made."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubus.model.objects import Object, name_of
from kubus.testing.world import START
from kubus_controllers.reconcilers.job_failures import FAILURES
from kubus_controllers.reconcilers.job_indexes import INDEX, index_of
from kubus_controllers.reconcilers.job_pods import new_indexed_pods, new_pods, surplus
from kubus_controllers.reconcilers.job_tally import FINALIZER, tally


def job(**spec: Any) -> Object:
    meta = {"name": "j", "namespace": "d", "uid": "u", "resourceVersion": "7"}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}
    spec = {"completions": 5, "completionMode": "Indexed", "template": template, **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def pod(name: str, phase: str = "Running", index: int | None = None, **annotations: str) -> Object:
    marks = {**annotations, **({INDEX: str(index)} if index is not None else {})}
    meta = {"name": name, "namespace": "d", "uid": name, "annotations": marks, "finalizers": [FINALIZER]}
    return {"metadata": meta, "spec": {}, "status": {"phase": phase}}


def gone(pods: list[Object], wanted: int, *, done: frozenset[int] = frozenset(), indexed: bool = True) -> list[str]:
    return sorted(name_of(each) for each in surplus(pods, wanted, indexed=indexed, done=done, below=5))


def test_those_that_serve_least_go_first() -> None:
    assert gone([pod("a", "Pending"), pod("b")], 1, indexed=False) == ["a"]


def test_of_an_index_one_pod_stays_and_none_of_a_finished_or_unknown_one() -> None:
    pods = [pod("a", index=0), pod("b", "Pending", index=0), pod("c", index=1), pod("d", index=9), pod("e")]
    assert gone(pods, 5, done=frozenset({1})) == ["b", "c", "d", "e"]
    assert gone([pod("a", index=0), pod("c", index=1)], 1) == ["c"]


@given(st.integers(0, 20), st.integers(0, 5))
def test_new_pods_have_names_that_nobody_has(count: int, there: int) -> None:
    owner = job(completionMode="NonIndexed")
    earlier = new_pods(owner, [], there)
    made = new_pods(owner, earlier, count)
    assert len({name_of(each) for each in [*earlier, *made]}) == there + count
    assert all(each["metadata"]["finalizers"] == [FINALIZER] for each in made)


def test_the_first_indexes_that_need_a_pod_get_one() -> None:
    owner = job(status={})
    pods = [pod("a", index=0), pod("b", "Succeeded", index=2)]
    made, wait = new_indexed_pods(owner, pods, pods[:1], tally(owner, pods), count=2, now=START)
    assert ([index_of(each) for each in made], wait) == ([1, 3], None)


def test_a_pod_knows_how_often_its_index_failed_before() -> None:
    owner = job(backoffLimitPerIndex=3)
    earlier = [pod("a", "Failed", 0, **{FAILURES: "1"}), pod("b", "Failed", 0)]
    made, _ = new_indexed_pods(owner, earlier, [], tally(owner, earlier), count=1, now=START)
    assert made[0]["metadata"]["annotations"][FAILURES] == "2"
