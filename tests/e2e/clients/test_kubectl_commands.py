"""kubectl's rarer commands, unmodified: raw paths, drain, debug, edit, replace, set, expose, autoscale and others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.cluster.conftest import IMAGE, Cluster, eventually

pytestmark = pytest.mark.e2e


def test_what_the_server_says_of_itself(cluster: Cluster) -> None:
    assert cluster.kubectl("get", "--raw", "/readyz").stdout == "ok"
    assert json.loads(cluster.kubectl("get", "--raw", "/api/v1/namespaces/default").stdout)["kind"] == "Namespace"
    versions = cluster.kubectl("api-versions").stdout.split()
    assert {"v1", "apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1"} <= set(versions)
    assert "control plane" in cluster.kubectl("cluster-info").stdout
    components = cluster.kubectl("get", "cs").stdout
    assert components.count("Healthy") == 3, components
    assert json.loads(cluster.kubectl("get", "--raw", "/openapi/v2").stdout)["swagger"] == "2.0"
    assert cluster.get("endpoints", "kubernetes")["subsets"][0]["addresses"]


def test_debug_puts_a_container_into_a_running_pod(cluster: Cluster, namespace: str, pod: str) -> None:
    n = ("-n", namespace)
    command = ("--image-pull-policy=IfNotPresent", "--", "sleep", "1000")
    cluster.kubectl(*n, "debug", pod, f"--image={IMAGE}", "--target=main", "-c", "look", *command)

    def state() -> dict[str, object]:
        statuses = cluster.get("pod", pod, *n)["status"].get("ephemeralContainerStatuses") or [{}]
        found: dict[str, object] = statuses[0].get("state") or {}
        return found

    eventually(state, what="the container for debugging", expected=lambda found: "running" in found)
    assert "sleep" in cluster.kubectl(*n, "exec", pod, "-c", "look", "--", "cat", "/proc/1/cmdline").stdout


def test_objects_are_edited_replaced_set_and_annotated(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    n = ("-n", namespace)
    cluster.kubectl(*n, "create", "deployment", "web", f"--image={IMAGE}", "--replicas=0")
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nexec sed -i 's/replicas: 0/replicas: 1/' \"$1\"\n")
    editor.chmod(0o755)
    cluster.environ["KUBE_EDITOR"] = str(editor)
    try:
        assert "edited" in cluster.kubectl(*n, "edit", "deployment", "web").stdout
    finally:
        del cluster.environ["KUBE_EDITOR"]
    assert cluster.get("deployment", "web", *n)["spec"]["replicas"] == 1
    cluster.kubectl(*n, "set", "env", "deployment/web", "A=1")
    cluster.kubectl(*n, "set", "resources", "deployment/web", "--requests=cpu=10m")
    cluster.kubectl(*n, "set", "image", "deployment/web", f"*={IMAGE}")
    cluster.kubectl(*n, "annotate", "deployment", "web", "note=seen")
    found = cluster.get("deployment", "web", *n)
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert (container["env"], container["resources"]) == ([{"name": "A", "value": "1"}], {"requests": {"cpu": "10m"}})
    assert found["metadata"]["annotations"]["note"] == "seen"
    found["metadata"]["labels"]["replaced"] = "yes"
    found["metadata"].pop("resourceVersion")
    cluster.kubectl(*n, "replace", "-f", "-", stdin=json.dumps(found))
    assert cluster.get("deployment", "web", *n)["metadata"]["labels"]["replaced"] == "yes"
    cluster.kubectl(*n, "replace", "--force", "-f", "-", stdin=json.dumps(found))
    assert cluster.get("deployment", "web", *n)["metadata"]["uid"] != found["metadata"]["uid"]


def test_a_deployment_is_exposed_and_scaled_by_itself(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl(*n, "create", "deployment", "shown", f"--image={IMAGE}", "--replicas=1", "--port=8080")
    cluster.kubectl(*n, "expose", "deployment", "shown", "--port=80", "--target-port=8080")
    service = cluster.get("service", "shown", *n)["spec"]
    assert (service["selector"], service["ports"][0]["targetPort"]) == ({"app": "shown"}, 8080)
    cluster.kubectl(*n, "autoscale", "deployment", "shown", "--min=1", "--max=3", "--cpu-percent=80")
    scaler = cluster.get("hpa.v2.autoscaling", "shown", *n)["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (1, 3)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 80
    cluster.kubectl(*n, "wait", "--for=condition=Available", "deployment/shown", "--timeout=120s")
    events = cluster.kubectl(*n, "events", "--for", "deployment/shown").stdout
    assert "ScalingReplicaSet" in events


def test_a_node_is_drained_and_comes_back(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl(*n, "create", "deployment", "moving", f"--image={IMAGE}")
    cluster.kubectl(*n, "wait", "--for=condition=Available", "deployment/moving", "--timeout=120s")
    node = cluster.get("nodes")["items"][0]["metadata"]["name"]
    old = cluster.get("pods", "-l", "app=moving", *n)["items"][0]["metadata"]["uid"]
    drained = cluster.kubectl(
        "drain", node, "--pod-selector=app=moving", "--force", "--grace-period=1", "--timeout=120s"
    )
    assert "evicted" in drained.stdout
    assert "drained" in drained.stdout
    cluster.kubectl("uncordon", node)

    def moved() -> bool:
        pods = cluster.get("pods", "-l", "app=moving", *n)["items"]
        return [pod["metadata"]["uid"] != old and pod["status"]["phase"] == "Running" for pod in pods] == [True]

    eventually(moved, what="a new pod in its place")
