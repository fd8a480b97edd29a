"""What objects take of quotas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubus.model.quota_usage import CLAIMS, PODS, SERVICES, concerns, unsaid, usage
from kubus.model.resource_totals import shown

NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


def taken(collection: str, **fields: Any) -> dict[str, str]:
    obj = {"metadata": {"name": "x"}, **fields}
    return {name: shown(name, amount) for name, amount in usage(collection, obj, NOW).items()}


def pod(**resources: dict[str, str]) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "resources": resources}]}}


def test_a_pod_takes_what_it_requests_and_may_use() -> None:
    asked = {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "2"}
    assert taken(PODS, **pod(requests=asked, limits={"cpu": "2"})) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "1",
        "requests.cpu": "1",
        "memory": "1Gi",
        "requests.memory": "1Gi",
        "requests.nvidia.com/gpu": "2",
        "limits.cpu": "2",
    }


def test_a_finished_pod_is_only_an_object() -> None:
    assert taken(PODS, **pod(requests={"cpu": "1"}), status={"phase": "Failed"}) == {"count/pods": "1"}


@pytest.mark.parametrize(
    ("ends", "grace", "counted"),
    [("00:00:29", 30, False), ("00:00:31", 30, True), ("00:00:00", 90, True), ("00:00:31", 0, True)],
)
def test_a_pod_that_should_be_long_gone_is_only_an_object(ends: str, grace: int, counted: bool) -> None:
    metadata = {"name": "x", "deletionTimestamp": f"2026-01-01T{ends}Z", "deletionGracePeriodSeconds": grace}
    found = taken(PODS, **pod(requests={"cpu": "1"}), metadata=metadata)
    assert ("pods" in found, "requests.cpu" in found, found["count/pods"]) == (counted, counted, "1")


@pytest.mark.parametrize(
    ("spec", "ports", "balancers"),
    [
        ({"type": "ClusterIP", "ports": [{"port": 1}]}, None, None),
        ({"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}, "2", None),
        ({"type": "LoadBalancer", "ports": [{"port": 1}]}, "1", "1"),
        ({"type": "LoadBalancer", "ports": [{"port": 1}], "allocateLoadBalancerNodePorts": False}, "0", "1"),
    ],
)
def test_services(spec: dict[str, Any], ports: str | None, balancers: str | None) -> None:
    found = taken(SERVICES, spec=spec)
    assert (found.get("services.nodeports"), found.get("services.loadbalancers")) == (ports, balancers)
    assert found["services"] == found["count/services"] == "1"


def test_a_claim_counts_for_its_class_too() -> None:
    found = taken(CLAIMS, spec={"storageClassName": "fast", "resources": {"requests": {"storage": "5Gi"}}})
    assert found["requests.storage"] == found["fast.storageclass.storage.k8s.io/requests.storage"] == "5Gi"
    assert found["fast.storageclass.storage.k8s.io/persistentvolumeclaims"] == "1"


def test_other_objects_are_counted_by_resource_and_group() -> None:
    assert taken("deployments.apps") == {"count/deployments.apps": "1"}
    assert taken("secrets.core") == {"count/secrets": "1", "secrets": "1"}


@pytest.mark.parametrize(
    ("scope", "spec", "inside"),
    [
        ({"scopes": ["BestEffort"]}, {"containers": [{"name": "c"}]}, True),
        ({"scopes": ["NotBestEffort"]}, {"containers": [{"name": "c"}]}, False),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 5}, True),
        ({"scopes": ["NotTerminating"]}, {"activeDeadlineSeconds": 5}, False),
        ({"scopes": ["PriorityClass"]}, {"priorityClassName": "x"}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {}, False),
        ({}, {}, True),
    ],
)
def test_scopes(scope: dict[str, Any], spec: dict[str, Any], inside: bool) -> None:
    assert concerns(scope, PODS, {"metadata": {}, "spec": spec}) is inside


@pytest.mark.parametrize(
    ("operator", "values", "inside"),
    [("In", ["high"], True), ("NotIn", ["high"], False), ("Exists", [], True), ("DoesNotExist", [], False)],
)
def test_scope_selectors(operator: str, values: list[str], inside: bool) -> None:
    term = {"scopeName": "PriorityClass", "operator": operator, "values": values}
    spec = {"scopeSelector": {"matchExpressions": [term]}}
    assert concerns(spec, PODS, {"metadata": {}, "spec": {"priorityClassName": "high"}}) is inside
    assert not concerns(spec, SERVICES, {"metadata": {}, "spec": {}})


def test_containers_have_to_say_what_is_limited() -> None:
    hard = {"cpu": "1", "limits.memory": "1Gi", "pods": "3"}
    assert unsaid(hard, pod(requests={"cpu": "1"})) == {"limits.memory": ["c"]}
    assert unsaid({"pods": "1"}, pod()) == {}


def test_a_claim_that_grows_takes_what_it_is_allowed_already() -> None:
    spec = {"resources": {"requests": {"storage": "5Gi"}}}
    assert taken(CLAIMS, spec=spec, status={"allocatedResources": {"storage": "9Gi"}})["requests.storage"] == "9Gi"
    assert taken(CLAIMS, spec=spec, status={"allocatedResources": {"storage": "1Gi"}})["requests.storage"] == "5Gi"


def test_devices_count_by_their_class_and_choices_at_their_most() -> None:
    requests = [
        {"exactly": {"deviceClassName": "gpu", "count": 2}},
        {"exactly": {"deviceClassName": "nic", "allocationMode": "All"}},
        {"firstAvailable": [{"deviceClassName": "gpu", "count": 4}, {"deviceClassName": "gpu"}]},
    ]
    found = taken("resourceclaims.resource.k8s.io", spec={"devices": {"requests": requests}})
    assert found == {
        "count/resourceclaims.resource.k8s.io": "1",
        "gpu.deviceclass.resource.k8s.io/devices": "6",
        "nic.deviceclass.resource.k8s.io/devices": "32",
    }


def test_a_claim_is_in_the_scope_of_every_class_that_it_has_to_do_with() -> None:
    status = {"currentVolumeAttributesClassName": "b", "modifyVolumeStatus": {"targetVolumeAttributesClassName": "c"}}
    obj = {"metadata": {}, "spec": {"volumeAttributesClassName": "a"}, "status": status}

    def scoped(*values: str, operator: str = "In") -> bool:
        term = {"scopeName": "VolumeAttributesClass", "operator": operator, "values": list(values)}
        return concerns({"scopeSelector": {"matchExpressions": [term]}}, CLAIMS, obj)

    assert [scoped(each) for each in "abcd"] == [True, True, True, False]
    assert scoped(operator="Exists")
    assert not concerns({"scopes": ["VolumeAttributesClass"]}, CLAIMS, {"metadata": {}, "spec": {}})


def test_what_the_pod_says_no_container_has_to_say() -> None:
    made = pod(requests={"cpu": "1"})
    assert unsaid({"requests.cpu": "1", "limits.cpu": "1"}, made) == {"limits.cpu": ["c"]}
    made["spec"]["resources"] = {"limits": {"cpu": "2"}}
    assert unsaid({"requests.cpu": "1", "limits.cpu": "1"}, made) == {}
