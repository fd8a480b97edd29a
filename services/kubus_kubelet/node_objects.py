"""The Node object and its Lease, from what is known of the machine: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubus.model.objects import Object, path_of
from kubus.model.times import rfc3339, rfc3339_micro

KUBELET_VERSION = "v1.37.0+kubus"
LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
MEMORY_PRESSURE_BYTES = 100 * 1024 * 1024
DISK_PRESSURE_SHARE = 0.02
PID_PRESSURE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Machine:
    """What a node is made of."""

    hostname: str
    address: str
    cpu_millis: int
    memory_bytes: int
    max_pods: int
    architecture: str
    kernel: str
    os_image: str
    machine_id: str
    boot_id: str
    runtime: str
    """`podman://4.3.1`."""
    disk_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """What conditions are made of."""

    memory_available_bytes: int
    disk_free_share: float
    pids_free_share: float
    not_ready: str = ""
    """Why the node cannot run pods; "" if it can."""


def node_object(name: str, machine: Machine) -> Object:
    """The Node to create at registration."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": node_labels(machine)},
        "spec": {},
    }


def node_labels(machine: Machine) -> dict[str, str]:
    """The well-known labels a kubelet sets."""
    found = {"hostname": machine.hostname, "os": "linux", "arch": machine.architecture}
    return {f"kubernetes.io/{key}": value for key, value in found.items()} | {
        f"beta.kubernetes.io/{key}": value for key, value in found.items() if key != "hostname"
    }


def node_status(
    old: Object, machine: Machine, health: Health, images: Sequence[dict[str, Any]], now: datetime
) -> Object:
    """The status of a node, as a strategic merge patch; `old` is the Node as it is.

    Extended resources that others have written to its capacity become allocatable, and go when they leave it.
    https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/
    """
    amounts = {
        "cpu": f"{machine.cpu_millis}m" if machine.cpu_millis % 1000 else str(machine.cpu_millis // 1000),
        "memory": f"{machine.memory_bytes // 1024}Ki",
        "pods": str(machine.max_pods),
        "ephemeral-storage": f"{machine.disk_bytes // 1024}Ki",
    }
    return {
        "capacity": amounts,
        "allocatable": {**extended_allocatable(old), **amounts},
        "addresses": [
            {"type": "InternalIP", "address": machine.address},
            {"type": "Hostname", "address": machine.hostname},
        ],
        "conditions": node_conditions(old, health, now),
        "nodeInfo": {
            "machineID": machine.machine_id,
            "systemUUID": machine.machine_id,
            "bootID": machine.boot_id,
            "kernelVersion": machine.kernel,
            "osImage": machine.os_image,
            "containerRuntimeVersion": machine.runtime,
            "kubeletVersion": KUBELET_VERSION,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": machine.architecture,
        },
        "images": [
            {"names": list(names), "sizeBytes": each.get("Size") or 0}
            for each in images
            if (names := each.get("RepoTags") or each.get("RepoDigests"))
        ],
    }


def extended_allocatable(old: Object) -> dict[str, str | None]:
    """What is allocatable of extended resources, by name; None for those that the capacity no longer has."""
    capacity = path_of(old, "status", "capacity", default={})
    before = path_of(old, "status", "allocatable", default={})
    left = {name: None for name in before if "/" in name and name not in capacity}
    return left | {name: amount for name, amount in capacity.items() if "/" in name}


def node_conditions(old: Object, health: Health, now: datetime) -> list[Object]:
    """The four conditions of a kubelet."""
    memory = health.memory_available_bytes < MEMORY_PRESSURE_BYTES
    disk = health.disk_free_share < DISK_PRESSURE_SHARE
    pids = health.pids_free_share < PID_PRESSURE_SHARE
    ready_words = "kubelet is posting ready status"
    fresh = [
        _pressure("MemoryPressure", memory, "KubeletHasInsufficientMemory", "KubeletHasSufficientMemory"),
        _pressure("DiskPressure", disk, "KubeletHasDiskPressure", "KubeletHasNoDiskPressure"),
        _pressure("PIDPressure", pids, "KubeletHasInsufficientPID", "KubeletHasSufficientPID"),
        {
            "type": "Ready",
            "status": "False" if health.not_ready else "True",
            "reason": "KubeletNotReady" if health.not_ready else "KubeletReady",
            "message": health.not_ready or ready_words,
        },
    ]
    before = {each["type"]: each for each in path_of(old, "status", "conditions", default=[])}
    return [_dated(each, before.get(each["type"]), now) for each in fresh]


def _pressure(kind: str, holds: bool, bad: str, good: str) -> Object:
    words = {
        "MemoryPressure": ("kubelet has insufficient memory available", "kubelet has sufficient memory available"),
        "DiskPressure": ("kubelet has disk pressure", "kubelet has no disk pressure"),
        "PIDPressure": ("kubelet has insufficient PID available", "kubelet has sufficient PID available"),
    }[kind]
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "reason": bad if holds else good,
        "message": words[0] if holds else words[1],
    }


def _dated(condition: Object, old: Object | None, now: datetime) -> Object:
    since = rfc3339(now)
    if old is not None and old.get("status") == condition["status"]:
        since = old.get("lastTransitionTime") or since
    return {**condition, "lastHeartbeatTime": rfc3339(now), "lastTransitionTime": since}


def without_times(status: Object) -> Object:
    """A node status as it is compared: a new heartbeat alone is no change."""
    conditions = [
        {key: value for key, value in each.items() if key != "lastHeartbeatTime"} for each in status["conditions"]
    ]
    return {**status, "conditions": conditions}


def lease_object(node: Object, now: datetime) -> Object:
    """The Lease by which the control plane knows that the node lives."""
    name, uid = node["metadata"]["name"], node["metadata"].get("uid", "")
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "namespace": LEASE_NAMESPACE,
            "name": name,
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}],
        },
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": rfc3339_micro(now),
        },
    }
