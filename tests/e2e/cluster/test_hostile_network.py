"""What a kubelet or a user may try against the network of all others, on a running cluster."""

from __future__ import annotations

import json

import pytest

from kubus.testing.hostile_texts import PAYLOAD

from .conftest import IMAGE, Cluster, eventually
from .test_traffic import ask, ask_from, pods, serve

pytestmark = pytest.mark.e2e

AS_KUBELET = ("--as=system:node:node-1", "--as-group=system:nodes")
EXTERNAL = "203.0.113.7"


def refusal(cluster: Cluster, *arguments: str, stdin: str | None = None) -> str:
    """What kubectl says of what is refused."""
    done = cluster.kubectl(*arguments, stdin=stdin, check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def reasons(cluster: Cluster, namespace: str, name: str) -> set[str]:
    events = cluster.get("events", "-n", namespace, "--field-selector", f"involvedObject.name={name}")["items"]
    return {each["reason"] for each in events}


def test_a_kubelet_cannot_write_commands_into_its_address_nor_choose_its_range(three_nodes: Cluster) -> None:
    node = three_nodes.get("node/node-1")
    node["metadata"].pop("resourceVersion")
    node["status"]["addresses"] = [{"type": "InternalIP", "address": PAYLOAD}]
    path = "/api/v1/nodes/node-1/status"
    said = refusal(three_nodes, "replace", "--raw", path, "-f", "-", *AS_KUBELET, stdin=json.dumps(node))
    assert "must be a valid IP address" in said
    given = three_nodes.get("node/node-1")["spec"]["podCIDR"]
    for spec in ({"podCIDR": "10.0.0.0/8"}, {"podCIDR": "10.0.0.0/8", "podCIDRs": ["10.0.0.0/8"]}):
        patch = json.dumps({"spec": spec})
        said = refusal(three_nodes, "patch", "node", "node-1", "--type=merge", "-p", patch, *AS_KUBELET)
        assert 'node "node-1" is not allowed to modify podCIDRs' in said or "may not change podCIDR" in said
        said = refusal(three_nodes, "patch", "node", "node-1", "--type=merge", "-p", patch)
        assert "node updates may not change podCIDR" in said
    assert three_nodes.get("node/node-1")["spec"]["podCIDR"] == given


def test_of_two_services_with_one_external_address_the_older_has_it_and_all_others_go_on(
    three_nodes: Cluster, wide_namespace: str
) -> None:
    n = ("-n", wide_namespace)
    serve(three_nodes, wide_namespace, 1)
    (pod,) = pods(three_nodes, wide_namespace)
    for name in ("first", "second"):
        leads = {"app": "web"} if name == "first" else {"app": "nothing"}
        spec = {"selector": leads, "ports": [{"port": 80, "targetPort": 8080}], "externalIPs": [EXTERNAL]}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        three_nodes.kubectl("create", "-f", "-", *n, stdin=json.dumps(service))
    ages = {
        (each["metadata"]["creationTimestamp"], each["metadata"]["uid"]): each["metadata"]["name"]
        for each in three_nodes.get("services", *n)["items"]
        if each["metadata"]["name"] != "web"
    }
    older, younger = (ages[key] for key in sorted(ages))
    eventually(lambda: "AddressConflict" in reasons(three_nodes, wide_namespace, younger), what="an Event")
    assert "AddressConflict" not in reasons(three_nodes, wide_namespace, older)
    if older == "first":
        eventually(lambda: ask_from(three_nodes, wide_namespace, pod, EXTERNAL) == pod, what="an answer from the older")
    else:
        three_nodes.kubectl("delete", "service", older, *n)
        eventually(
            lambda: ask_from(three_nodes, wide_namespace, pod, EXTERNAL) == pod, what="an answer once it is free"
        )
    three_nodes.kubectl("expose", "deployment/web", "--name=later", "--port=80", "--target-port=8080", *n)
    later = str(three_nodes.get("service/later", *n)["spec"]["clusterIP"])
    eventually(lambda: ask(later) == pod, what="an answer through a Service that came later")


def test_a_node_off_the_link_costs_its_own_route_and_no_other(three_nodes: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "far"},
        "spec": {"unschedulable": True},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    }
    three_nodes.kubectl("create", "-f", "-", stdin=json.dumps(node))
    try:
        eventually(lambda: "FailedToCreateRoute" in reasons(three_nodes, "default", "far"), what="an Event on the Node")
        serve(three_nodes, wide_namespace, 1)
        (pod,) = pods(three_nodes, wide_namespace)
        for each in ("node-1", "node-2", "node-3"):
            pinned = json.dumps({"spec": {"nodeName": each}})
            three_nodes.kubectl("run", f"on-{each}", f"--image={IMAGE}", f"--overrides={pinned}", *n)
            three_nodes.kubectl("wait", "--for=condition=Ready", f"pod/on-{each}", "--timeout=60s", *n)
            address = three_nodes.get("service/web", *n)["spec"]["clusterIP"]
            assert ask_from(three_nodes, wide_namespace, f"on-{each}", address) == pod
    finally:
        three_nodes.kubectl("delete", "node", "far")
