"""What stands behind a Service: shared by slices and Endpoints."""

from __future__ import annotations

import pytest

from kubus.model.objects import Object
from kubus_controllers.reconcilers.service_endpoints import Port, ports_for, selector_index, target_port


def pod(*ports: Object) -> Object:
    return {"spec": {"containers": [{"name": "c", "ports": list(ports)}]}}


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ({"port": 80}, 80),
        ({"port": 80, "targetPort": 8080}, 8080),
        ({"port": 80, "targetPort": "http"}, 8000),
        ({"port": 80, "targetPort": "http", "protocol": "UDP"}, 0),
        ({"port": 80, "targetPort": "other"}, 0),
    ],
)
def test_target_ports_are_numbers_or_names_of_container_ports(port: Object, expected: int) -> None:
    assert target_port(port, pod({"name": "http", "containerPort": 8000})) == expected


def test_ports_that_a_pod_does_not_have_are_left_out() -> None:
    service = {"spec": {"ports": [{"name": "a", "port": 80, "targetPort": "no"}, {"name": "b", "port": 81}]}}
    assert ports_for(service, pod()) == (Port("b", "TCP", 81, ""),)


def test_a_service_is_found_by_one_pair_of_its_selector() -> None:
    service = {"metadata": {"namespace": "ns"}, "spec": {"selector": {"b": "2", "a": "1"}}}
    assert selector_index(service) == ["ns/a=1"]
    assert selector_index({"metadata": {}, "spec": {}}) == []
