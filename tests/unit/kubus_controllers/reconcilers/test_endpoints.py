"""Endpoints: the older form."""

from __future__ import annotations

from kubus.model.kinds.endpoints import KIND as ENDPOINTS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Key, Object
from kubus.testing.world import World
from kubus_controllers.reconcilers.endpoints import CONTROLLER


def service() -> Object:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"selector": {"app": "web"}, "ports": ports, "clusterIP": "10.96.0.9"}
    return {"metadata": {"name": "web", "namespace": "default", "uid": "s"}, "spec": spec}


def pod(number: int, *, ready: bool = True) -> Object:
    return {
        "metadata": {"name": f"web-{number}", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"nodeName": "n1", "containers": [{"name": "c"}]},
        "status": {
            "phase": "Running",
            "podIP": f"10.244.0.{number}",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def test_ready_and_unready_addresses_are_kept_apart() -> None:
    world = World((SERVICES, service()), (PODS, pod(1)), (PODS, pod(2, ready=False)))
    world.settle(CONTROLLER)
    found = world.get(ENDPOINTS, "default", "web") or {}
    (subset,) = found["subsets"]
    assert [each["ip"] for each in subset["addresses"]] == ["10.244.0.1"]
    assert [each["ip"] for each in subset["notReadyAddresses"]] == ["10.244.0.2"]
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]


def test_an_unchanged_world_gives_an_empty_plan() -> None:
    world = World((SERVICES, service()), (PODS, pod(1)))
    world.settle(CONTROLLER)
    assert world.plan(CONTROLLER, world.list(SERVICES)[0]).actions == ()


def test_the_object_goes_with_its_service_whoever_leads_when_that_goes() -> None:
    """Found by thinking of a seed: the last state of a Service is seen once only, and by a leader that may die."""
    world = World((SERVICES, service()), (PODS, pod(1)))
    world.settle(CONTROLLER)
    [endpoints] = world.list(ENDPOINTS)
    assert world.plan(CONTROLLER, endpoints).actions == ()
    world.remove(SERVICES, "default", "web")
    assert [key for watch in CONTROLLER.watches for key in watch.wakes(endpoints, world) if watch.kind != PODS] == [
        Key("endpoints.core", "default", "web"),
        Key("endpoints.core", "default", "web"),
    ]
    world.reconcile(CONTROLLER, ENDPOINTS)
    assert world.list(ENDPOINTS) == []


def test_endpoints_that_somebody_else_keeps_stay() -> None:
    world = World((ENDPOINTS, {"metadata": {"name": "outside", "namespace": "default"}}))
    world.reconcile(CONTROLLER, ENDPOINTS)
    assert len(world.list(ENDPOINTS)) == 1
