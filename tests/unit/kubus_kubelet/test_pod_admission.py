"""Which pods a node takes, and in which words it refuses others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_kubelet.pod_admission import HostPort, rejection_of

NODE = {
    "metadata": {"name": "n1", "labels": {"disk": "fast"}},
    "spec": {},
    "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "3", "example.com/dongle": "1"}},
}
NO_CPU = "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000"
NO_MEMORY = "Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824"
NO_DONGLE = "Node didn't have enough resource: example.com/dongle, requested: 2, used: 0, capacity: 1"
NO_ROOM = "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"
OTHER_NODE = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
TAKEN_PORT = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
TAINT = "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"


def pod(requests=None, ports=(), **spec):
    container = {"name": "app", "resources": {"requests": requests or {}}, "ports": list(ports)}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}


def affinity(**match):
    required = {"nodeSelectorTerms": [match]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


def sysctls(*names, **spec):
    return pod(securityContext={"sysctls": [{"name": each, "value": "1"} for each in names]}, **spec)


PORT = {"containerPort": 80, "hostPort": 8080}
FORBIDDEN = "SysctlForbidden"
SLOW = affinity(matchExpressions=[{"key": "disk", "operator": "NotIn", "values": ["fast"]}])
NAMED = affinity(matchFields=[{"key": "metadata.name", "operator": "In", "values": ["n1"]}])


@pytest.mark.parametrize(
    ("wanted", "others", "reason", "message"),
    [
        (pod(), [], None, None),
        (pod({"cpu": "2", "memory": "1Gi"}), [], None, None),
        (pod({"cpu": "1500m"}), [pod({"cpu": "1"})], "OutOfcpu", NO_CPU),
        (pod(), [pod({"cpu": "3"})], None, None),
        (pod({"memory": "2Gi"}), [], "OutOfmemory", NO_MEMORY),
        (pod({"example.com/dongle": "2"}), [], "OutOfexample.com/dongle", NO_DONGLE),
        (pod({"example.com/none": "2"}), [], None, None),
        (pod(), [pod()] * 3, "OutOfpods", NO_ROOM),
        (pod(nodeSelector={"disk": "fast"}), [], None, None),
        (pod(nodeSelector={"disk": "slow"}), [], "NodeAffinity", OTHER_NODE),
        (pod(**SLOW), [], "NodeAffinity", OTHER_NODE),
        (pod(**NAMED), [], None, None),
        (pod(ports=[PORT]), [pod()], None, None),
        (pod(ports=[PORT]), [pod(ports=[PORT])], "NodePorts", TAKEN_PORT),
        (pod(ports=[{**PORT, "protocol": "UDP"}]), [pod(ports=[PORT])], None, None),
        (sysctls("net.ipv4.ip_local_port_range", "net/ipv4/tcp_syncookies"), [], None, None),
        (sysctls("kernel.msgmax"), [], FORBIDDEN, 'forbidden sysctl: "kernel.msgmax" not allowlisted'),
        (
            sysctls("net.ipv4.tcp_syncookies", hostNetwork=True),
            [],
            FORBIDDEN,
            'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host Net enabled',
        ),
        (
            sysctls("kernel.shm_rmid_forced", hostIPC=True),
            [],
            FORBIDDEN,
            'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host IPC enabled',
        ),
    ],
)
def test_a_node_takes_what_fits_and_says_why_it_refuses_the_rest(wanted, others, reason, message):
    found = rejection_of(wanted, others, NODE)
    assert (found and found.reason, found and found.message) == (reason, message)


@pytest.mark.parametrize(
    ("effect", "tolerations", "message"),
    [
        ("NoExecute", [], TAINT),
        ("NoExecute", [{"key": "x", "operator": "Exists", "tolerationSeconds": 8}], None),
        ("NoSchedule", [], None),
    ],
)
def test_only_taints_that_evict_count_for_the_node(effect, tolerations, message):
    tainted = {**NODE, "spec": {"taints": [{"key": "x", "effect": effect}]}}
    found = rejection_of(pod(tolerations=tolerations), [], tainted)
    assert (found and found.message) == message


@given(st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 2**31)), max_size=8))
def test_a_node_is_never_overcommitted(requests):
    taken = []
    for milli, size in requests:
        wanted = pod({"cpu": f"{milli}m", "memory": str(size)})
        if rejection_of(wanted, [each for each, _, _ in taken], NODE) is None:
            taken.append((wanted, milli, size))
    assert len(taken) <= 3
    assert sum(milli for _, milli, _ in taken) <= 2000
    assert sum(size for _, _, size in taken) <= 2**30


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        (("TCP", "0.0.0.0", 80), ("TCP", "10.0.0.1", 80), True),
        (("TCP", "10.0.0.2", 80), ("TCP", "10.0.0.1", 80), False),
        (("TCP", "10.0.0.1", 80), ("TCP", "10.0.0.1", 81), False),
    ],
)
def test_an_unspecified_address_takes_a_port_everywhere(one, other, conflict):
    assert HostPort(*one).conflicts(HostPort(*other)) is conflict
    assert HostPort(*other).conflicts(HostPort(*one)) is conflict
