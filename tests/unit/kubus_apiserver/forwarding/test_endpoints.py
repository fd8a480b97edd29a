"""Whom a Service means."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.codec import Raw, pack
from kubus.model.errors import StatusError
from kubus.model.objects import Object
from kubus.store import StoreChange
from kubus_apiserver.forwarding.endpoints import Destination, Endpoints
from kubus_apiserver.reading.watchcache import WatchCache

SERVICE = {"metadata": {"name": "web", "namespace": "a"}, "spec": {"ports": [{"name": "http", "port": 80}]}}
POD = {
    "metadata": {"name": "web-1", "namespace": "a", "uid": "u1"},
    "spec": {"nodeName": "n1"},
    "status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]},
}


def endpoint(address: str, pod: str = "", ready: bool | None = True) -> Object:
    """An endpoint of a slice."""
    conditions = {} if ready is None else {"ready": ready}
    target = {"targetRef": {"kind": "Pod", "name": pod}} if pod else {}
    return {"addresses": [address], "conditions": conditions, **target}


def slice_(*endpoints: Object, name: str = "web-x", service: str = "web", port: int = 8080) -> Object:
    """A slice of a Service."""
    meta = {"name": name, "namespace": "a", "labels": {"kubernetes.io/service-name": service}}
    return {"metadata": meta, "endpoints": list(endpoints), "ports": [{"name": "http", "port": port}]}


def cache_of(**objects: list[Object]) -> WatchCache:
    """A cache that holds objects: `services`, `slices`, `pods`."""
    names = {"services": "services.core", "slices": "endpointslices.discovery.k8s.io", "pods": "pods.core"}
    cache, revision = WatchCache(), 1
    for kind, listed in objects.items():
        for obj in listed:
            revision += 1
            key = f"/kubus/{names[kind]}/{obj['metadata']['namespace']}/{obj['metadata']['name']}"
            cache.apply([StoreChange(key, pack([1, {}, Raw(pack(obj))]), revision, revision, None)])
    return cache


def endpoints(**objects: list[Object]) -> Endpoints:
    """Over such a cache."""
    return Endpoints(cache_of(**objects), Random(1))


def test_an_endpoint_that_is_a_pod_is_reached_by_its_node() -> None:
    found = endpoints(services=[SERVICE], pods=[POD], slices=[slice_(endpoint("10.0.0.1", "web-1"))])
    assert found.of_service("a", "web", 80) == Destination("10.0.0.1", 8080, "n1", "a", "web-1", "u1")


@pytest.mark.parametrize(
    "told",
    [endpoint("10.9.9.9"), endpoint("10.9.9.9", "web-1"), endpoint("10.9.9.9", "gone", ready=None)],
    ids=["no pod", "an address that the pod does not have", "a pod that is gone"],
)
def test_an_endpoint_that_is_no_pod_is_reached_directly(told: Object) -> None:
    found = endpoints(services=[SERVICE], pods=[POD], slices=[slice_(told)])
    assert found.of_service("a", "web", 80) == Destination("10.9.9.9", 8080)
    with pytest.raises(StatusError, match='no endpoints available for service "web"'):
        found.behind("a", "web", "http", pods_only=True)


def test_an_external_name_is_its_host() -> None:
    service = {**SERVICE, "spec": {"type": "ExternalName", "externalName": "db.example.com"}}
    assert endpoints(services=[service]).of_service("a", "web", 5432) == Destination("db.example.com", 5432)


@pytest.mark.parametrize(
    ("objects", "port", "code", "words"),
    [
        ({}, 80, 404, 'services "web" not found'),
        ({"services": [SERVICE]}, 81, 503, 'no service port 81 found for service "web"'),
        ({"services": [SERVICE]}, 80, 503, 'no endpoints available for service "web"'),
        ({"services": [SERVICE], "slices": [slice_(endpoint("10.0.0.1", ready=False))]}, 80, 503, "no endpoints"),
        ({"services": [SERVICE], "slices": [slice_(endpoint("10.0.0.1"), service="other")]}, 80, 503, "no endpoints"),
    ],
)
def test_nobody_is_said_to_be_nobody(objects: Any, port: int, code: int, words: str) -> None:
    with pytest.raises(StatusError, match=words) as refused:
        endpoints(**objects).of_service("a", "web", port)
    assert refused.value.code == code
    assert "retryAfterSeconds" not in refused.value.details, "kubectl would wait and ask again, ten times"


@given(st.lists(st.tuples(st.integers(1, 250), st.sampled_from([True, False, None])), max_size=8), st.integers())
@settings(max_examples=60)
def test_only_ready_endpoints_are_ever_chosen(told: list[tuple[int, bool | None]], seed: int) -> None:
    slices = [slice_(*(endpoint(f"10.0.0.{number}", ready=ready) for number, ready in told))]
    ready = {f"10.0.0.{number}" for number, ready in told if ready is not False}
    found = Endpoints(cache_of(services=[SERVICE], slices=slices), Random(seed))
    if ready:
        assert found.of_service("a", "web", 80).host in ready
    else:
        with pytest.raises(StatusError):
            found.of_service("a", "web", 80)
