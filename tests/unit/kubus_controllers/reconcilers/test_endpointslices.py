"""EndpointSlices: what is written, and that little is rewritten."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds.endpointslices import KIND as SLICES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object, name_of
from kubus.testing.world import World
from kubus_controllers.reconcilers.endpointslices import CONTROLLER


def service(**spec: object) -> Object:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"selector": {"app": "web"}, "ports": ports, "clusterIP": "10.96.0.9", **spec}
    return {"metadata": {"name": "web", "namespace": "default", "uid": "s"}, "spec": spec}


def pod(number: int, *, ready: bool = True, **meta: object) -> Object:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {
        "metadata": {"name": f"web-{number:03}", "namespace": "default", "labels": {"app": "web"}, **meta},
        "spec": {"nodeName": "n1", "containers": [{"name": "c"}]},
        "status": {"phase": "Running", "podIP": f"10.244.{number // 250}.{number % 250 + 1}", "conditions": conditions},
    }


def addresses(world: World, condition: str = "ready") -> set[str]:
    return {
        endpoint["addresses"][0]
        for each in world.list(SLICES)
        for endpoint in each["endpoints"]
        if endpoint["conditions"][condition]
    }


def test_a_service_without_pods_has_one_empty_slice() -> None:
    world = World((SERVICES, service()))
    world.settle(CONTROLLER)
    (only,) = world.list(SLICES)
    assert only["endpoints"] == []
    assert only["metadata"]["labels"]["kubernetes.io/service-name"] == "web"


def test_the_first_pod_finds_its_slice_there() -> None:
    world = World((SERVICES, service()))
    world.settle(CONTROLLER)
    (before,) = world.list(SLICES)
    world.put(PODS, pod(1))
    world.settle(CONTROLLER)
    (after,) = world.list(SLICES)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert addresses(world) == {"10.244.0.2"}


def test_only_ready_pods_are_ready_endpoints() -> None:
    world = World((SERVICES, service()), (PODS, pod(1)), (PODS, pod(2, ready=False)))
    world.settle(CONTROLLER)
    assert addresses(world) == {"10.244.0.2"}
    (only,) = world.list(SLICES)
    assert only["ports"] == [{"name": "http", "protocol": "TCP", "port": 8080}]
    assert len(only["endpoints"]) == 2


def test_a_pod_that_ends_is_not_ready_but_may_still_serve() -> None:
    leaving = pod(1, deletionTimestamp="2026-01-01T11:59:00Z", finalizers=["x"])
    world = World((SERVICES, service()), (PODS, leaving))
    world.settle(CONTROLLER)
    assert addresses(world) == set()
    assert addresses(world, "serving") == addresses(world, "terminating") == {"10.244.0.2"}


def test_services_without_selector_or_with_an_external_name_are_left_alone() -> None:
    for spec in ({"selector": None}, {"type": "ExternalName"}):
        world = World((SERVICES, service(**spec)), (PODS, pod(1)))
        world.settle(CONTROLLER)
        assert world.list(SLICES) == []


def test_250_pods_fill_three_slices_and_one_pod_less_rewrites_one_of_them() -> None:
    world = World((SERVICES, service()), *((PODS, pod(number)) for number in range(250)))
    world.settle(CONTROLLER)
    assert sorted(len(each["endpoints"]) for each in world.list(SLICES)) == [50, 100, 100]
    before = {name_of(each): each["metadata"]["resourceVersion"] for each in world.list(SLICES)}
    world.remove(PODS, "default", "web-007")
    world.settle(CONTROLLER)
    after = {name_of(each): each["metadata"]["resourceVersion"] for each in world.list(SLICES)}
    assert sum(before[name] != after[name] for name in before) == 1


@settings(max_examples=25)
@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_slices_hold_exactly_the_ready_pods_whatever_came_and_went(
    first: set[int], then: set[int], sick: set[int]
) -> None:
    world = World((SERVICES, service()), *((PODS, pod(number)) for number in first))
    world.settle(CONTROLLER)
    for number in first - then:
        world.remove(PODS, "default", f"web-{number:03}")
    for number in then:
        world.put(PODS, pod(number, ready=number not in sick, uid=f"uid-of-{number}"))
    world.settle(CONTROLLER)
    expected = {pod(number)["status"]["podIP"] for number in then - sick}
    assert addresses(world) == expected
    total = sum(len(each["endpoints"]) for each in world.list(SLICES))
    assert total == len(then), "an endpoint stands twice or not at all"
