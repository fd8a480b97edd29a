"""Old and new kubectl, unmodified: the everyday commands, each a version's own way to ask for the same thing."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator

import pytest
from tests.e2e.clients.programs import program, run
from tests.e2e.cluster.conftest import IMAGE, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e

VERSIONS = ("1.28", "1.31", "1.34", "1.37")


@pytest.fixture(params=VERSIONS)
def kubectl(request: pytest.FixtureRequest) -> str:
    """One version's program name."""
    return f"kubectl-{request.param}"


@pytest.fixture
def own_namespace(cluster: Cluster, kubectl: str) -> Iterator[str]:
    """A namespace made and deleted by the version under test."""
    name = f"v-{uuid.uuid4().hex[:8]}"
    run(cluster, kubectl, "create", "namespace", name)
    yield name
    run(cluster, kubectl, "delete", "namespace", name, "--wait=false")


def test_a_deployment_is_applied_compared_changed_rolled_back_and_deleted(
    cluster: Cluster, kubectl: str, own_namespace: str
) -> None:
    n = ("-n", own_namespace)
    manifest = deployment("web", 1, IMAGE)
    assert "created" in run(cluster, kubectl, *n, "apply", "-f", "-", stdin=manifest).stdout
    assert run(cluster, kubectl, *n, "diff", "-f", "-", stdin=manifest).stdout == ""
    assert "unchanged" in run(cluster, kubectl, *n, "apply", "-f", "-", stdin=manifest).stdout
    run(cluster, kubectl, *n, "rollout", "status", "deployment/web", "--timeout=120s")
    assert "1/1" in run(cluster, kubectl, *n, "get", "deployments", "-o", "wide").stdout
    assert run(cluster, kubectl, *n, "diff", "-f", "-", stdin=deployment("web", 2, IMAGE), check=False).returncode == 1

    run(cluster, kubectl, *n, "set", "env", "deployment/web", "STAGE=two")
    run(cluster, kubectl, *n, "rollout", "status", "deployment/web", "--timeout=120s")
    run(cluster, kubectl, *n, "rollout", "undo", "deployment/web")
    run(cluster, kubectl, *n, "rollout", "status", "deployment/web", "--timeout=120s")
    found = json.loads(run(cluster, kubectl, *n, "get", "deployment", "web", "-o", "json").stdout)
    assert "env" not in found["spec"]["template"]["spec"]["containers"][0]
    assert "ScalingReplicaSet" in run(cluster, kubectl, *n, "describe", "deployment", "web").stdout

    run(cluster, kubectl, *n, "delete", "deployment", "web", "--timeout=120s")
    assert "NotFound" in run(cluster, kubectl, *n, "get", "deployment", "web", check=False).stderr


def test_objects_are_applied_by_the_server_and_conflicts_are_named(
    cluster: Cluster, kubectl: str, own_namespace: str
) -> None:
    n = ("-n", own_namespace)

    def settings(value: str) -> str:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"key": value}}
        return json.dumps(body)

    run(cluster, kubectl, *n, "apply", "--server-side", "-f", "-", stdin=settings("one"))
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    refused = run(cluster, kubectl, *n, *other, stdin=settings("two"), check=False)
    assert refused.returncode == 1
    assert "conflict" in refused.stderr and ".data.key" in refused.stderr
    run(cluster, kubectl, *n, *other, "--force-conflicts", stdin=settings("two"))
    assert run(cluster, kubectl, *n, "get", "configmap", "settings", "-o", "jsonpath={.data.key}").stdout == "two"


def test_a_pod_is_run_entered_and_watched(cluster: Cluster, kubectl: str, own_namespace: str) -> None:
    n = ("-n", own_namespace)
    wait_for_stop = "echo started; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    run(cluster, kubectl, *n, "run", "talker", f"--image={IMAGE}", "--command", "--", "sh", "-c", wait_for_stop)
    run(cluster, kubectl, *n, "wait", "--for=condition=Ready", "pod/talker", "--timeout=120s")
    assert "started" in run(cluster, kubectl, *n, "logs", "talker").stdout
    assert run(cluster, kubectl, *n, "exec", "talker", "--", "echo", "inside").stdout == "inside\n"
    echoed = run(cluster, kubectl, *n, "exec", "-i", "talker", "--", "cat", stdin="through stdin\n")
    assert echoed.stdout == "through stdin\n"
    failed = run(cluster, kubectl, *n, "exec", "talker", "--", "sh", "-c", "exit 7", check=False)
    assert failed.returncode == 7

    watch = subprocess.Popen(
        [program(kubectl), *n, "get", "pods", "--watch", "-o", "name"],
        env=cluster.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert watch.stdout is not None
        assert watch.stdout.readline() == "pod/talker\n"
        run(cluster, kubectl, *n, "label", "pod", "talker", "seen=yes")
        assert watch.stdout.readline() == "pod/talker\n"
    finally:
        watch.kill()
        watch.wait()
    run(cluster, kubectl, *n, "delete", "pod", "talker", "--grace-period=1", "--timeout=120s")


def test_a_port_of_a_service_is_forwarded(cluster: Cluster, kubectl: str, own_namespace: str) -> None:
    n = ("-n", own_namespace)
    run(cluster, kubectl, *n, "apply", "-f", "-", stdin=deployment("web", 1, IMAGE))
    run(cluster, kubectl, *n, "expose", "deployment", "web", "--port=80", "--target-port=8080")
    run(cluster, kubectl, *n, "rollout", "status", "deployment/web", "--timeout=120s")
    forward = subprocess.Popen(
        [program(kubectl), *n, "port-forward", "service/web", ":80"],
        env=cluster.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert forward.stdout is not None
        port = forward.stdout.readline().split("127.0.0.1:")[1].split(" ")[0]
        url = f"http://127.0.0.1:{port}/cgi-bin/index.cgi"

        def answer() -> str:
            command = ["busybox", "wget", "-q", "-O", "-", url]
            return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout

        assert "web-" in eventually(answer, what="an answer through the forwarded port")
    finally:
        forward.kill()
        forward.wait()


def test_what_there_is_can_be_asked_for(cluster: Cluster, kubectl: str) -> None:
    assert "Server Version: v" in run(cluster, kubectl, "version").stdout
    names = run(cluster, kubectl, "api-resources", "-o", "name").stdout.split()
    assert {"pods", "deployments.apps", "jobs.batch"} <= set(names)
    assert "replicas" in run(cluster, kubectl, "explain", "deployment.spec").stdout
    assert "yes" in run(cluster, kubectl, "auth", "can-i", "create", "pods").stdout
    assert "node-1" in run(cluster, kubectl, "get", "nodes").stdout
