"""The Node object and its Lease."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubus_kubelet.node_objects import (
    Health,
    Machine,
    lease_object,
    node_conditions,
    node_object,
    node_status,
    without_times,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MACHINE = Machine(
    hostname="n1", address="10.0.0.1", cpu_millis=2500, memory_bytes=2**30, max_pods=110, architecture="amd64",
    kernel="6.1", os_image="Debian", machine_id="m", boot_id="b", runtime="podman://4.3.1", disk_bytes=2**40,
)  # fmt: skip
WELL = Health(memory_available_bytes=2**30, disk_free_share=0.5, pids_free_share=0.9)


def conditions(health, old=None, now=NOW):
    return {each["type"]: each for each in node_conditions(old or {}, health, now)}


def test_the_well_known_labels_are_set():
    labels = node_object("n1", MACHINE)["metadata"]["labels"]
    assert labels["kubernetes.io/hostname"] == "n1"
    assert (labels["kubernetes.io/os"], labels["kubernetes.io/arch"]) == ("linux", "amd64")


def test_capacity_and_addresses():
    status = node_status({}, MACHINE, WELL, [{"RepoTags": ["a:1"], "Size": 5}, {"RepoTags": None}], NOW)
    assert status["capacity"] == {
        "cpu": "2500m",
        "memory": "1048576Ki",
        "pods": "110",
        "ephemeral-storage": "1073741824Ki",
    }
    assert {each["type"]: each["address"] for each in status["addresses"]} == {
        "InternalIP": "10.0.0.1",
        "Hostname": "n1",
    }
    assert status["images"] == [{"names": ["a:1"], "sizeBytes": 5}]
    assert status["nodeInfo"]["containerRuntimeVersion"] == "podman://4.3.1"


@pytest.mark.parametrize(
    ("capacity", "allocatable", "expected"),
    [
        ({}, {}, {}),
        ({"example.com/dongle": "4"}, {}, {"example.com/dongle": "4"}),
        ({"example.com/dongle": "4"}, {"example.com/dongle": "3"}, {"example.com/dongle": "4"}),
        ({"cpu": "99"}, {"example.com/dongle": "3", "cpu": "99"}, {"example.com/dongle": None}),
    ],
)
def test_extended_resources_of_the_capacity_are_allocatable(capacity, allocatable, expected):
    old = {"status": {"capacity": capacity, "allocatable": allocatable}}
    status = node_status(old, MACHINE, WELL, [], NOW)
    assert status["allocatable"] == {**status["capacity"], **expected}
    assert "example.com/dongle" not in status["capacity"]


def test_a_node_in_good_health_is_ready():
    assert {kind: each["status"] for kind, each in conditions(WELL).items()} == {
        "MemoryPressure": "False",
        "DiskPressure": "False",
        "PIDPressure": "False",
        "Ready": "True",
    }


def test_pressure_and_unreadiness_are_said():
    found = conditions(Health(1, 0.01, 0.05, not_ready="no network"))
    assert {kind: each["status"] for kind, each in found.items()} == {
        "MemoryPressure": "True",
        "DiskPressure": "True",
        "PIDPressure": "True",
        "Ready": "False",
    }
    assert (found["Ready"]["reason"], found["Ready"]["message"]) == ("KubeletNotReady", "no network")


def test_a_heartbeat_alone_is_no_change():
    first = node_status({}, MACHINE, WELL, [], NOW)
    later = node_status({"status": first}, MACHINE, WELL, [], NOW + timedelta(minutes=5))
    assert first != later
    assert without_times(first) == without_times(later)


def test_the_lease_belongs_to_the_node():
    lease = lease_object({"metadata": {"name": "n1", "uid": "u"}}, NOW)
    assert lease["metadata"]["namespace"] == "kube-node-lease"
    assert lease["metadata"]["ownerReferences"][0]["uid"] == "u"
    assert lease["spec"]["renewTime"] == "2026-01-31T12:00:00.000000Z"
