"""What a pod needs."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_scheduler.needs import HostPort, needs_of, ports_of


def container(cpu: str | None = None, *, sidecar: bool = False, **resources: str) -> dict[str, Any]:
    requests = {**({"cpu": cpu} if cpu else {}), **resources}
    made: dict[str, Any] = {"resources": {"requests": requests}}
    if sidecar:
        made["restartPolicy"] = "Always"
    return made


@pytest.mark.parametrize(
    ("spec", "cpu_milli"),
    [
        ({"containers": [container("100m"), container("1")]}, 1100),
        ({"containers": [container("100m")], "initContainers": [container("500m")]}, 500),
        ({"containers": [container("1")], "initContainers": [container("500m"), container("600m")]}, 1000),
        ({"containers": [container("1")], "initContainers": [container("200m", sidecar=True)]}, 1200),
        ({"containers": [container("1")], "initContainers": [container("200m", sidecar=True), container("3")]}, 3200),
        ({"containers": [container("1")], "initContainers": [container("3"), container("200m", sidecar=True)]}, 3000),
        ({"containers": [container("1")], "overhead": {"cpu": "250m"}}, 1250),
        ({"containers": [container("1")], "resources": {"requests": {"cpu": "3"}}}, 3000),
        ({"containers": [container()]}, 0),
    ],
)
def test_cpu_is_the_larger_of_starting_and_running_plus_overhead(spec: dict[str, Any], cpu_milli: int) -> None:
    assert needs_of(spec).cpu_milli == cpu_milli


def test_other_resources_count_in_whole_units_and_zeros_do_not_count() -> None:
    needs = needs_of(
        {"containers": [container(memory="1Gi", **{"ephemeral-storage": "1k", "example.com/gpu": "2", "x.io/y": "0"})]}
    )
    assert needs.memory_bytes == 1 << 30
    assert needs.ephemeral_bytes == 1000
    assert needs.extended == (("example.com/gpu", 2),)


def test_a_container_that_asks_for_nothing_still_weighs_in_the_scores() -> None:
    needs = needs_of({"containers": [container(), container("50m")]})
    assert needs.cpu_milli == 50
    assert needs.scored_cpu_milli == 150
    assert needs.scored_memory_bytes == 2 * 200 * 1024 * 1024


def test_only_containers_that_keep_running_take_host_ports() -> None:
    port = {"ports": [{"hostPort": 80, "containerPort": 8080}, {"containerPort": 9}]}
    spec = {"containers": [port], "initContainers": [port, {**port, "restartPolicy": "Always"}]}
    assert ports_of(spec) == (HostPort("TCP", "0.0.0.0", 80),) * 2


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        (("TCP", "0.0.0.0", 80), ("TCP", "0.0.0.0", 80), True),
        (("TCP", "0.0.0.0", 80), ("TCP", "10.0.0.1", 80), True),
        (("TCP", "10.0.0.2", 80), ("TCP", "10.0.0.1", 80), False),
        (("TCP", "0.0.0.0", 80), ("UDP", "0.0.0.0", 80), False),
        (("TCP", "0.0.0.0", 80), ("TCP", "0.0.0.0", 81), False),
    ],
)
def test_ports_conflict_where_address_protocol_and_number_meet(one: Any, other: Any, conflict: bool) -> None:
    assert HostPort(*one).conflicts(HostPort(*other)) is conflict
    assert HostPort(*other).conflicts(HostPort(*one)) is conflict
