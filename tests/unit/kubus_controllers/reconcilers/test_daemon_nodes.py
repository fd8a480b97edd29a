"""Which nodes are meant for a daemon, and the pod for a node."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.node_selectors import required_nodes
from kubus.model.objects import Object
from kubus_controllers.reconcilers.daemon_nodes import fit, new_pod, node_of_pod


def daemon(**spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [], **spec}}
    meta = {"name": "d", "namespace": "ns", "uid": "u"}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": {"template": template}}


def node(*taints: tuple[str, str], unschedulable: bool = False, **labels: str) -> Object:
    spec = {"taints": [{"key": key, "effect": effect} for key, effect in taints], "unschedulable": unschedulable}
    return {"metadata": {"name": "n1", "labels": labels}, "spec": spec}


def affine(key: str, value: str) -> Object:
    expression = {"key": key, "operator": "In", "values": [value]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


@pytest.mark.parametrize(
    ("spec", "where", "expected"),
    [
        ({}, node(), (True, True)),
        ({"nodeSelector": {"disk": "ssd"}}, node(disk="ssd"), (True, True)),
        ({"nodeSelector": {"disk": "ssd"}}, node(disk="hdd"), (False, False)),
        ({"affinity": affine("disk", "ssd")}, node(disk="ssd"), (True, True)),
        ({"affinity": affine("disk", "ssd")}, node(), (False, False)),
        ({"nodeName": "n2"}, node(), (False, False)),
        ({}, node(("mine", "NoSchedule")), (False, True)),
        ({}, node(("mine", "NoExecute")), (False, False)),
        ({"tolerations": [{"key": "mine", "operator": "Exists"}]}, node(("mine", "NoExecute")), (True, True)),
        ({}, node(("node.kubernetes.io/unreachable", "NoExecute")), (True, True)),
        ({}, node(unschedulable=True), (True, True)),
        ({}, node(("node.kubernetes.io/network-unavailable", "NoSchedule")), (False, True)),
        ({"hostNetwork": True}, node(("node.kubernetes.io/network-unavailable", "NoSchedule")), (True, True)),
    ],
)
def test_a_node_is_meant_by_labels_and_taints(spec: Object, where: Object, expected: tuple[bool, bool]) -> None:
    assert tuple(fit(daemon(**spec), where)) == expected


@pytest.mark.parametrize("spec", [{}, {"affinity": affine("disk", "ssd")}])
def test_a_pod_is_bound_to_its_node_by_affinity(spec: Object) -> None:
    pod = new_pod(daemon(**spec), "d-x", "n1", "abc")
    assert node_of_pod(pod) == "n1"
    assert pod["metadata"]["labels"] == {"app": "d", "controller-revision-hash": "abc"}
    labels = {"disk": "ssd"}
    terms = required_nodes(pod["spec"]) or ()
    assert [any(term.matches(name, labels) for term in terms) for name in ("n1", "n2")] == [True, False]
    assert {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"} in pod["spec"][
        "tolerations"
    ]


def test_a_pod_that_is_placed_is_where_it_is() -> None:
    assert node_of_pod({"spec": {"nodeName": "n7"}}) == "n7"
    assert node_of_pod({"spec": {}}) == ""
