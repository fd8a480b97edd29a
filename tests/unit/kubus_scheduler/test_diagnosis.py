"""Why no node can take a pod, in Kubernetes' words."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from kubus_scheduler.core import Refuse, Scheduler

HOST = "kubernetes.io/hostname"


def refusal(nodes: list[Any], pod: Any, placed: tuple[Any, ...] = ()) -> str:
    core = Scheduler(Random(1))
    for node in nodes:
        core.set_node(node)
    for each in placed:
        core.set_pod(each, 0.0)
    core.set_pod(pod, 0.0)
    (decision,) = core.decide(0.0, 9)
    assert isinstance(decision, Refuse)
    return decision.message


def test_without_nodes_it_says_so(build: Any) -> None:
    assert refusal([], build.pod("p")) == "no nodes available to schedule pods"


def test_reasons_are_counted_and_sorted(build: Any) -> None:
    nodes = [
        build.node("a", taints=[{"key": "key", "value": "value", "effect": "NoSchedule"}]),
        build.node("b", taints=[{"key": "key", "value": "value", "effect": "NoExecute"}]),
        build.node("c", cpu="1"),
    ]
    assert refusal(nodes, build.pod("p", cpu="2")) == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {key: value}."
    )


@pytest.mark.parametrize(
    ("node", "pod", "reason"),
    [
        ({"unschedulable": True}, {}, "node(s) were unschedulable"),
        ({}, {"nodeSelector": {"disk": "ssd"}}, "node(s) didn't match Pod's node affinity/selector"),
        ({"cpu": "50m", "memory": "1Mi"}, {}, "1 Insufficient cpu, 1 Insufficient memory"),
        ({"pods": "0"}, {}, "1 Too many pods"),
        (
            {},
            {"overhead": {"example.com/gpu": "1", "ephemeral-storage": "1"}},
            "1 Insufficient ephemeral-storage, 1 Insufficient example.com/gpu",
        ),
        (
            {},
            {"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1, "labelSelector": {}}]},
            "node(s) didn't match pod topology spread constraints (missing required label)",
        ),
    ],
)
def test_each_filter_has_its_words(build: Any, node: dict, pod: dict, reason: str) -> None:
    message = refusal([build.node("n", **node)], build.pod("p", **pod))
    assert message.startswith("0/1 nodes are available: ")
    assert reason in message


def affinity(side: str, **labels: str) -> dict[str, Any]:
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": labels}}
    return {"affinity": {side: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def test_filters_about_other_pods_have_their_words(build: Any) -> None:
    node = build.node("n")
    there = build.pod("there", labels={"app": "a"}, node="n", ports=[80])
    shy = build.pod("shy", labels={"app": "b"}, node="n", **affinity("podAntiAffinity", app="c"))
    cases = {
        "node(s) didn't have free ports for the requested pod ports": build.pod("p", ports=[80]),
        "node(s) didn't match pod anti-affinity rules": build.pod("p", **affinity("podAntiAffinity", app="a")),
        "node(s) didn't match pod affinity rules": build.pod("p", **affinity("podAffinity", app="z")),
        "node(s) didn't satisfy existing pods anti-affinity rules": build.pod("p", labels={"app": "c"}),
    }
    for reason, pod in cases.items():
        assert refusal([node], pod, (there, shy)) == f"0/1 nodes are available: 1 {reason}."


def test_a_daemons_pod_names_the_plugin_for_the_nodes_it_never_asked_for(build: Any) -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["a"]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    spec = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}
    there = build.pod("there", cpu="4", node="a")
    message = refusal([build.node("a"), build.node("b"), build.node("c")], build.pod("p", cpu="1", **spec), (there,))
    assert message == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )


@pytest.mark.parametrize("pod", [{"priority": 5}, {"priority": 5, "preemptionPolicy": "Never"}])
def test_nothing_is_said_about_a_preemption_that_does_not_exist(build: Any, pod: dict) -> None:
    running = build.pod("running", cpu="4", node="n")
    message = refusal([build.node("n")], build.pod("p", cpu="1", **pod), (running,))
    assert message == "0/1 nodes are available: 1 Insufficient cpu."


def test_the_diagnosis_follows_the_cluster(build: Any) -> None:
    core = Scheduler(Random(1))
    core.set_node(build.node("a", cpu="1"))
    core.set_pod(build.pod("p", cpu="2"), 0.0)
    core.decide(0.0, 1)
    core.set_node(build.node("a", cpu="1", unschedulable=True))
    core.set_node(build.node("b", cpu="1"))
    core.set_pod(build.pod("q", cpu="2"), 0.0)
    (decision,) = core.decide(0.0, 1)
    assert isinstance(decision, Refuse)
    assert "1 Insufficient cpu, 1 node(s) were unschedulable." in decision.message
