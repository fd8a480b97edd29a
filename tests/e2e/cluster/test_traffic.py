"""Services: who gets traffic, and who does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter

import pytest

from .conftest import IMAGE, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e


def ask(address: str) -> str:
    """One answer from an address of the cluster, asked from the machine itself; "" if there is none."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{address}/cgi-bin/index.cgi", timeout=2) as answer:
            return str(answer.read().decode()).strip().removeprefix("hello from ")
    except OSError:
        return ""


def serve(cluster: Cluster, namespace: str, replicas: int, **spec: object) -> str:
    n = ("-n", namespace)
    cluster.kubectl("apply", "-f", "-", *n, stdin=deployment("web", replicas, IMAGE))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s", *n)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}], **spec},
    }
    cluster.kubectl("apply", "-f", "-", *n, stdin=json.dumps(service))
    address = str(cluster.get("service/web", *n)["spec"]["clusterIP"])
    eventually(lambda: ask(address), what="an answer through the ClusterIP")
    return address


def pods(cluster: Cluster, namespace: str) -> set[str]:
    return {pod["metadata"]["name"] for pod in cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]}


def test_a_service_with_three_ready_pods_spreads_over_all_three(three_nodes: Cluster, wide_namespace: str) -> None:
    address = serve(three_nodes, wide_namespace, 3)
    eventually(lambda: len({ask(address) for _ in range(12)}) == 3, what="answers from all three pods")
    answers = Counter(ask(address) for _ in range(60))
    assert set(answers) == pods(three_nodes, wide_namespace)
    assert min(answers.values()) >= 5, f"the spread is lopsided: {answers}"


def ask_from(cluster: Cluster, namespace: str, pod: str, address: str) -> str:
    """One answer, asked in a pod's own network namespace; "" if there is none."""
    uid = cluster.get(f"pod/{pod}", "-n", namespace)["metadata"]["uid"]
    program = (
        f"import urllib.request as u; print(u.urlopen('http://{address}/cgi-bin/index.cgi', timeout=3).read().decode())"
    )
    command = ["nsenter", f"--net=/run/netns/{uid}", sys.executable, "-c", program]
    direct = {"PATH": os.environ["PATH"]}  # no proxy from the environment
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=direct)
    return done.stdout.strip().removeprefix("hello from ")


def test_a_pod_reaches_services_across_nodes_and_itself(three_nodes: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    address = serve(three_nodes, wide_namespace, 1)
    (alone,) = pods(three_nodes, wide_namespace)
    assert ask_from(three_nodes, wide_namespace, alone, address) == alone, "hairpin"
    for node in three_nodes.get("nodes")["items"]:
        name = f"from-{node['metadata']['name']}"
        pinned = json.dumps({"spec": {"nodeName": node["metadata"]["name"]}})
        three_nodes.kubectl("run", name, f"--image={IMAGE}", f"--overrides={pinned}", *n)
        three_nodes.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=120s", *n)
        assert ask_from(three_nodes, wide_namespace, name, address) == alone


def test_a_pod_that_is_not_ready_gets_no_traffic(three_nodes: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    address = serve(three_nodes, wide_namespace, 2)
    sick, well = sorted(pods(three_nodes, wide_namespace))
    three_nodes.kubectl("exec", sick, *n, "--", "mv", "/www/cgi-bin/index.cgi", "/www/hidden")
    three_nodes.kubectl("wait", "--for=condition=Ready=false", f"pod/{sick}", "--timeout=120s", *n)
    time.sleep(0.5)
    assert {ask(address) for _ in range(20)} == {well}
    three_nodes.kubectl("exec", sick, *n, "--", "mv", "/www/hidden", "/www/cgi-bin/index.cgi")
    eventually(lambda: {ask(address) for _ in range(12)} == {sick, well}, what="traffic to both again")


def test_a_service_without_pods_refuses_at_once(three_nodes: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    address = serve(three_nodes, wide_namespace, 1)
    three_nodes.kubectl("scale", "deployment/web", "--replicas=0", *n)
    eventually(lambda: not pods(three_nodes, wide_namespace), what="the end of the pods")
    time.sleep(0.5)
    began = time.monotonic()
    assert ask(address) == ""
    assert time.monotonic() - began < 1.9, "refused, not timed out"


def test_a_node_port_answers_on_every_node(three_nodes: Cluster, wide_namespace: str) -> None:
    serve(three_nodes, wide_namespace, 1, type="NodePort")
    port = three_nodes.get("service/web", "-n", wide_namespace)["spec"]["ports"][0]["nodePort"]
    for node in three_nodes.get("nodes")["items"]:
        (address,) = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
        assert eventually(lambda a=address: ask(f"{a}:{port}"), what=f"an answer on {address}")


def test_a_service_without_a_selector_leads_where_its_endpoints_say(three_nodes: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    serve(three_nodes, wide_namespace, 1)
    (pod,) = three_nodes.get("pods", *n)["items"]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "by-hand"},
        "spec": {"ports": [{"port": 80}]},
    }
    subset = {"addresses": [{"ip": pod["status"]["podIP"]}], "ports": [{"port": 8080}]}
    endpoints = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "by-hand"}, "subsets": [subset]}
    for obj in (service, endpoints):
        three_nodes.kubectl("apply", "-f", "-", *n, stdin=json.dumps(obj))
    address = three_nodes.get("service/by-hand", *n)["spec"]["clusterIP"]
    eventually(lambda: ask(address) == pod["metadata"]["name"], what="an answer through hand-made endpoints")
    three_nodes.kubectl("delete", "endpoints", "by-hand", *n)
    mirrored = ("endpointslices", "-l", "kubernetes.io/service-name=by-hand", *n)
    eventually(lambda: not three_nodes.get(*mirrored)["items"], what="the end of the slices")
    eventually(lambda: ask(address) == "", what="no answer any more")


def test_a_service_of_several_named_ports_reaches_each_at_its_own_target(
    three_nodes: Cluster, wide_namespace: str
) -> None:
    cluster, n = three_nodes, ("-n", wide_namespace)
    script = "mkdir -p /tmp/a /tmp/b; echo first > /tmp/a/x; echo second > /tmp/b/x; httpd -p 8081 -h /tmp/a; "
    ports = [{"name": "one", "containerPort": 8081}, {"name": "two", "containerPort": 8082}]
    container = {"name": "c", "image": IMAGE, "command": ["sh", "-c", script + "httpd -f -p 8082 -h /tmp/b"]}
    probe = {"httpGet": {"path": "/x", "port": "two"}, "periodSeconds": 1}
    pod = {"terminationGracePeriodSeconds": 0, "containers": [{**container, "ports": ports, "readinessProbe": probe}]}
    labels = {"name": "both", "labels": {"app": "both"}}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": labels, "spec": pod}
    served = [{"name": "a", "port": 80, "targetPort": "one"}, {"name": "b", "port": 81, "targetPort": "two"}]
    spec = {"selector": {"app": "both"}, "ports": served}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "both"}, "spec": spec}
    for each in (body, service):
        cluster.kubectl(*n, "apply", "-f", "-", stdin=json.dumps(each))
    cluster.kubectl(*n, "wait", "--for=condition=Ready", "pod/both", "--timeout=60s")
    address = cluster.get("service", "both", *n)["spec"]["clusterIP"]
    for port, text in ((80, "first"), (81, "second")):

        def answer(port: int = port) -> str:
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with direct.open(f"http://{address}:{port}/x", timeout=5) as response:
                    return str(response.read().decode()).strip()
            except OSError as error:
                return str(error)

        eventually(answer, expected=lambda got, text=text: got == text, what=f"an answer at port {port}")
