"""What a runtime class brings along."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

from kubus_apiserver.admission.runtime_classes import merged_tolerations

PODS = "/api/v1/namespaces/default/pods"
CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
OVERHEAD = {"podFixed": {"cpu": "100m", "memory": "64Mi"}}


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "i"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


async def made(api: Api, name: str, **fields: Any) -> None:
    body = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": "runc"}
    await api.ok("POST", CLASSES, {**body, **fields})


async def test_a_class_that_is_not_there_is_refused(api: Api) -> None:
    refused = await api("POST", PODS, pod(runtimeClassName="gone"))
    assert (refused.code, refused.message) == (
        403,
        'pods "p" is forbidden: pod rejected: RuntimeClass "gone" not found',
    )


async def test_overhead_is_set_and_may_not_be_another(api: Api) -> None:
    await made(api, "heavy", overhead=OVERHEAD)
    await made(api, "light")
    done = await api.ok("POST", PODS, pod("a", runtimeClassName="heavy"))
    assert done["spec"]["overhead"] == OVERHEAD["podFixed"]
    same = {"cpu": "0.1", "memory": "65536Ki"}
    await api.ok("POST", PODS, pod("b", runtimeClassName="heavy", overhead=same))
    refused = await api("POST", PODS, pod(runtimeClassName="heavy", overhead={"cpu": "1"}))
    assert refused.message.endswith("Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    for spec in ({}, {"runtimeClassName": "light"}):
        refused = await api("POST", PODS, pod(overhead=same, **spec))
        assert refused.message.endswith("Pod Overhead set without corresponding RuntimeClass defined Overhead")


async def test_scheduling_is_merged_and_may_not_contradict(api: Api) -> None:
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    await made(api, "gpu", scheduling={"nodeSelector": {"gpu": "yes"}, "tolerations": [toleration]})
    spec = (await api.ok("POST", PODS, pod(runtimeClassName="gpu", nodeSelector={"disk": "ssd"})))["spec"]
    assert spec["nodeSelector"] == {"disk": "ssd", "gpu": "yes"}
    assert spec["tolerations"][0] == toleration
    assert len(spec["tolerations"]) == 3
    refused = await api("POST", PODS, pod("q", runtimeClassName="gpu", nodeSelector={"gpu": "no"}))
    words = "conflict: runtimeClass.scheduling.nodeSelector[gpu] = yes; pod.spec.nodeSelector[gpu] = no"
    assert refused.message == f'pods "q" is forbidden: {words}'


def tolerates(key: str = "", effect: str = "", **more: Any) -> dict[str, Any]:
    return {"key": key, "operator": "Exists", **({"effect": effect} if effect else {}), **more}


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ([], [], []),
        ([tolerates("a")], [tolerates("a")], [tolerates("a")]),
        ([tolerates("a", "NoSchedule")], [tolerates("a")], [tolerates("a")]),
        ([tolerates()], [tolerates("a"), tolerates("b", "NoExecute")], [tolerates()]),
        ([tolerates("a")], [tolerates("b")], [tolerates("a"), tolerates("b")]),
        (
            [{"key": "a", "operator": "Equal", "value": "1"}],
            [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
            [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
        ),
        (
            [tolerates("a", "NoExecute", tolerationSeconds=10)],
            [tolerates("a", "NoExecute", tolerationSeconds=60)],
            [tolerates("a", "NoExecute", tolerationSeconds=60)],
        ),
        ([tolerates("a", "NoExecute", tolerationSeconds=10)], [tolerates("a", "NoExecute")], None),
    ],
)
def test_what_another_toleration_covers_is_left_out(first: list[Any], second: list[Any], merged: Any) -> None:
    found = merged_tolerations(first, second)
    assert found == ([tolerates("a", "NoExecute")] if merged is None else merged)
