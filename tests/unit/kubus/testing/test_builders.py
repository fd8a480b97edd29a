"""Builders say what the test says, and nothing more."""

from __future__ import annotations

from kubus.model.objects import controller_of, labels_of, namespace_of
from kubus.testing.builders import config_map, deployment, node, pod, replicaset


def test_a_pod_is_as_short_as_it_can_be() -> None:
    assert pod("p") == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "busybox"}]},
    }


def test_a_pod_has_what_it_is_given() -> None:
    owner = replicaset("web", uid="u")
    built = pod("p", node="n1", phase="Running", owner=owner, requests={"cpu": "1"}, labels={"a": "b"})
    assert (controller_of(built) or {})["uid"] == "u"
    assert labels_of(built) == {"a": "b"}
    assert built["spec"]["nodeName"] == "n1"
    assert built["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "1"}}
    assert built["status"] == {"phase": "Running"}


def test_workloads_select_the_pods_they_make() -> None:
    for built in (deployment("web", replicas=3), replicaset("web", replicas=3)):
        spec = built["spec"]
        assert spec["replicas"] == 3
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


def test_nodes_belong_to_no_namespace() -> None:
    assert "namespace" not in node("n1")["metadata"]
    assert namespace_of(config_map("m", "ns")) == "ns"
