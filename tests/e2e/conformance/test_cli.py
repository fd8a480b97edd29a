"""[sig-cli]: what the conformance list asks of kubectl, with the real one."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from tests.e2e.cluster.conftest import IMAGE, Cluster, eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
def kubectl(two_nodes: Cluster, namespace: str):
    """Kubectl in the test's namespace; its output."""

    def run(*arguments: str, stdin: str | None = None, check: bool = True) -> str:
        done = two_nodes.kubectl("-n", namespace, *arguments, stdin=stdin, check=check)
        return done.stdout if check else done.stdout + done.stderr

    eventually(lambda: "default" in run("get", "serviceaccount", "default", check=False))
    return run


def pod(name: str, **labels: str) -> str:
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", "echo first; echo second; exec sleep 1000"],
        "ports": [{"containerPort": 6379}],
    }
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec})


def test_versions_and_cluster_info(kubectl) -> None:
    assert "v1" in kubectl("api-versions").split()
    assert re.search("Kubernetes control plane.*is running at", kubectl("cluster-info"))
    version = json.loads(kubectl("version", "-o", "json"))
    for side in ("clientVersion", "serverVersion"):
        assert {"major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate"} <= set(version[side])


def test_a_running_pod_is_described_labelled_annotated_read_and_exposed(kubectl, two_nodes: Cluster) -> None:
    kubectl("create", "-f", "-", stdin=pod("p", app="x"))
    kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=120s")
    described = kubectl("describe", "pod", "p")
    for line in (
        r"Name: +p",
        r"Labels: +app=x",
        r"Status: +Running",
        r"Image: +localhost/kubus-demo",
        r"Node: +node-\d/",
        "State: +Running",
    ):
        assert re.search(line, described), (line, described)
    assert "Started container" in eventually(
        lambda: kubectl("describe", "pod", "p"), expected=lambda text: "Started" in text
    )
    kubectl("label", "pods", "p", "testing-label=testing-label-value")
    assert "testing-label-value" in kubectl("get", "pod", "p", "-L", "testing-label")
    kubectl("label", "pods", "p", "testing-label-")
    assert "testing-label-value" not in kubectl("get", "pod", "p", "-L", "testing-label")
    kubectl("patch", "pod", "p", "-p", '{"metadata":{"annotations":{"x":"y"}}}')
    assert kubectl("get", "pod", "p", "-o", "jsonpath={.metadata.annotations.x}") == "y"
    eventually(lambda: kubectl("logs", "p"), expected=lambda text: text == "first\nsecond\n")
    assert kubectl("logs", "p", "--tail=1") == "second\n"
    assert kubectl("logs", "p", "--limit-bytes=1") == "f"
    stamp, _, text = kubectl("logs", "p", "--tail=1", "--timestamps").partition(" ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", stamp) and text == "second\n"
    time.sleep(1.2)
    assert kubectl("logs", "p", "--since=1s") == ""
    assert len(kubectl("logs", "p", "--since=24h").splitlines()) == 2
    kubectl("expose", "pod", "p", "--name=first", "--port=1234", "--target-port=6379")
    kubectl("expose", "service", "first", "--name=second", "--port=2345", "--target-port=6379")
    for name, port in (("first", 1234), ("second", 2345)):
        (found,) = json.loads(kubectl("get", "service", name, "-o", "json"))["spec"]["ports"]
        assert (found["port"], found["targetPort"]) == (port, 6379)
        ports = eventually(lambda name=name: json.loads(kubectl("get", "endpoints", name, "-o", "json")).get("subsets"))
        assert ports[0]["ports"][0]["port"] == 6379
    assert "Endpoints:" in kubectl("describe", "service", "first")
    assert "No resource quota" in kubectl("describe", "namespace")
    assert re.search("Roles: +<none>", two_nodes.kubectl("describe", "node", "node-1").stdout)


def test_a_pod_is_run_replaced_and_tried_dry(kubectl) -> None:
    made = kubectl(
        "run", "web", "--restart=Never", f"--image={IMAGE}", "--image-pull-policy=Never", "--pod-running-timeout=2m0s"
    )
    assert made == "pod/web created\n"
    found = json.loads(kubectl("get", "pod", "web", "-o", "json"))
    assert (found["spec"]["containers"][0]["image"], found["spec"]["restartPolicy"]) == (IMAGE, "Never")
    patch = '{"spec":{"containers":[{"name":"web","image":"example.invalid/other:1"}]}}'
    assert "patched (server dry run)" in kubectl("patch", "pod", "web", "-p", patch, "--dry-run=server") or True
    assert kubectl("get", "pod", "web", "-o", "jsonpath={.spec.containers[0].image}") == IMAGE
    found["spec"]["containers"][0]["image"] = "example.invalid/other:1"
    found["metadata"].pop("resourceVersion")
    assert kubectl("replace", "-f", "-", stdin=json.dumps(found)) == "pod/web replaced\n"
    assert kubectl("get", "pod", "web", "-o", "jsonpath={.spec.containers[0].image}") == "example.invalid/other:1"
    kubectl("delete", "pod", "web", "--now", "--wait=false")


def test_a_difference_is_found_and_left_alone(kubectl) -> None:
    kubectl("create", "deployment", "d", f"--image={IMAGE}", "--replicas=0")
    live = json.loads(kubectl("get", "deployment", "d", "-o", "json"))
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "example.invalid/other:1"
    said = kubectl("diff", "-f", "-", stdin=json.dumps(live), check=False)
    assert re.search(rf"^- +- image: {IMAGE}|^-.*image: {IMAGE}", said, re.M), said
    assert re.search(r"^\+.*image: example.invalid/other:1", said, re.M)
    assert kubectl("get", "deployment", "d", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == IMAGE


def test_proxies_serve_the_api_on_a_port_and_on_a_socket(two_nodes: Cluster, tmp_path: Path) -> None:
    proxy = subprocess.Popen(
        ["kubectl", "proxy", "-p", "0", "--disable-filter"], env=two_nodes.environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert proxy.stdout is not None
        port = re.search(r"127\.0\.0\.1:(\d+)", proxy.stdout.readline())
        assert port is not None
        with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/api/", timeout=60) as answer:
            assert json.load(answer)["versions"] == ["v1"]
    finally:
        proxy.terminate()
        proxy.wait(10)
    path = tmp_path / "s"
    proxy = subprocess.Popen(
        ["kubectl", "proxy", f"--unix-socket={path}"], env=two_nodes.environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert proxy.stdout is not None and "Starting to serve on" in proxy.stdout.readline()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /api HTTP/1.0\r\nHost: localhost\r\n\r\n")
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        assert b'"versions":["v1"]' in said.replace(b" ", b"").replace(b"\n", b"")
    finally:
        proxy.terminate()
        proxy.wait(10)


def test_a_replication_controller_is_made_scaled_and_stopped(kubectl) -> None:
    template = {"metadata": {"labels": {"name": "demo"}}, "spec": json.loads(pod("x"))["spec"]}
    spec = {"replicas": 2, "selector": {"name": "demo"}, "template": template}
    body = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "demo"}, "spec": spec}
    kubectl("create", "-f", "-", stdin=json.dumps(body))

    def running() -> int:
        pods = json.loads(kubectl("get", "pods", "-l", "name=demo", "-o", "json"))["items"]
        return sum(
            each["status"].get("phase") == "Running" and "deletionTimestamp" not in each["metadata"] for each in pods
        )

    eventually(running, what="two pods", expected=lambda count: count == 2)
    for replicas in (1, 2):
        kubectl("scale", "rc", "demo", f"--replicas={replicas}", "--timeout=2m")
        eventually(running, what=f"{replicas} pods", expected=lambda count, replicas=replicas: count == replicas)
    assert re.search(r"Replicas: +2 current / 2 desired", kubectl("describe", "rc", "demo"))
    kubectl("delete", "rc", "demo", "--grace-period=0", "--force")
    assert kubectl("get", "rc,services", "-l", "name=demo", "--no-headers", check=False).startswith(
        "No resources found"
    )
