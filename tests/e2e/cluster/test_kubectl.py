"""kubectl, unmodified: the commands that everybody uses, on one node and on three."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time

import pytest

from .conftest import IMAGE, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e


def roll_out(cluster: Cluster, namespace: str, name: str) -> str:
    return cluster.kubectl("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=120s").stdout


def images(cluster: Cluster, namespace: str) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in cluster.get("pods", "-n", namespace)["items"]}


def test_create_deployment_get_describe_and_events(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("create", "deployment", "web", f"--image={IMAGE}", "--replicas=3", *n)
    assert "successfully rolled out" in roll_out(cluster, namespace, "web")
    wide = cluster.kubectl("get", "pods", "-o", "wide", *n).stdout.splitlines()
    assert wide[0].split()[:9] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED", "NODE"]
    assert len(wide) == 4
    assert all("1/1" in line and "Running" in line for line in wide[1:])
    assert "3/3" in cluster.kubectl("get", "deployments", *n).stdout
    nodes = {pod["spec"]["nodeName"] for pod in cluster.get("pods", *n)["items"]}
    assert len(nodes) == cluster.nodes, "pods of one Deployment spread over the nodes"
    described = cluster.kubectl("describe", "deployment", "web", *n).stdout
    assert "ScalingReplicaSet" in described
    assert "3 desired | 3 updated | 3 total | 3 available | 0 unavailable" in described
    reasons = {event["reason"] for event in cluster.get("events", *n)["items"]}
    assert {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started"} <= reasons


def test_apply_then_edit_then_apply_again_diff_and_delete(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    text = deployment("web", 1, IMAGE)
    assert "created" in cluster.kubectl("apply", "-f", "-", *n, stdin=text).stdout
    assert cluster.kubectl("diff", "-f", "-", *n, stdin=text).returncode == 0
    edited = deployment("web", 2, IMAGE)
    changed = cluster.kubectl("diff", "-f", "-", *n, stdin=edited, check=False)
    assert changed.returncode == 1
    assert "+  replicas: 2" in changed.stdout
    assert "configured" in cluster.kubectl("apply", "-f", "-", *n, stdin=edited).stdout
    assert "unchanged" in cluster.kubectl("apply", "-f", "-", *n, stdin=edited).stdout
    roll_out(cluster, namespace, "web")
    cluster.kubectl("delete", "deployment", "web", *n)
    eventually(lambda: not cluster.get("pods,replicasets", *n)["items"], what="the end of all that belonged to it")


def test_a_rollout_is_undone_restarted_scaled_and_paused(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    subprocess.run(["podman", "tag", IMAGE, "localhost/kubus-demo:2"], check=True)
    cluster.kubectl("apply", "-f", "-", *n, stdin=deployment("web", 2, IMAGE))
    roll_out(cluster, namespace, "web")
    cluster.kubectl("set", "image", "deployment/web", "web=localhost/kubus-demo:2", *n)
    roll_out(cluster, namespace, "web")
    assert images(cluster, namespace) >= {"localhost/kubus-demo:2"}
    history = cluster.kubectl("rollout", "history", "deployment/web", *n).stdout
    assert [line.split()[0] for line in history.splitlines()[2:4]] == ["1", "2"]
    cluster.kubectl("rollout", "undo", "deployment/web", *n)
    roll_out(cluster, namespace, "web")
    eventually(
        lambda: images(cluster, namespace), expected=lambda seen: seen == {IMAGE}, what="the old image everywhere"
    )
    before = {pod["metadata"]["uid"] for pod in cluster.get("pods", *n)["items"]}
    cluster.kubectl("rollout", "restart", "deployment/web", *n)
    roll_out(cluster, namespace, "web")
    cluster.kubectl("scale", "deployment/web", "--replicas=3", *n)
    roll_out(cluster, namespace, "web")
    pods = eventually(lambda: cluster.get("pods", *n)["items"], expected=lambda seen: len(seen) == 3, what="three pods")
    assert not before & {pod["metadata"]["uid"] for pod in pods}
    cluster.kubectl("rollout", "pause", "deployment/web", *n)
    cluster.kubectl("set", "image", "deployment/web", "web=localhost/kubus-demo:2", *n)
    time.sleep(1)
    assert images(cluster, namespace) == {IMAGE}
    cluster.kubectl("rollout", "resume", "deployment/web", *n)
    roll_out(cluster, namespace, "web")


def test_run_logs_and_exec(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    script = "echo one; echo two; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    cluster.kubectl("run", "talker", f"--image={IMAGE}", *n, "--command", "--", "sh", "-c", script)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/talker", "--timeout=120s", *n)
    assert cluster.kubectl("logs", "talker", *n).stdout == "one\ntwo\n"
    assert cluster.kubectl("logs", "talker", "--tail=1", *n).stdout == "two\n"
    assert cluster.kubectl("exec", "talker", *n, "--", "sh", "-c", "echo out; echo err >&2").stdout == "out\n"
    assert (
        cluster.kubectl("exec", "-i", "talker", *n, "--", "cat", stdin="through and back").stdout == "through and back"
    )
    failed = cluster.kubectl("exec", "talker", *n, "--", "sh", "-c", "exit 7", check=False)
    assert failed.returncode == 7


def test_logs_are_followed_to_the_end_and_those_of_the_last_container_are_kept(
    cluster: Cluster, namespace: str
) -> None:
    n = ("-n", namespace)
    script = "for i in 1 2 3; do echo line $i; sleep 0.2; done; exit 1"
    cluster.kubectl("run", "ender", f"--image={IMAGE}", "--restart=Never", *n, "--command", "--", "sh", "-c", script)
    eventually(lambda: cluster.get("pod/ender", *n)["status"]["phase"], expected=lambda seen: seen != "Pending")
    assert cluster.kubectl("logs", "-f", "ender", *n).stdout == "line 1\nline 2\nline 3\n"
    eventually(lambda: cluster.get("pod/ender", *n)["status"]["phase"] == "Failed", what="the end of the pod")
    cluster.kubectl(
        "run", "again", f"--image={IMAGE}", *n, "--command", "--", "sh", "-c", "echo run $$; sleep 1; exit 2"
    )
    previous = eventually(
        lambda: cluster.kubectl("logs", "again", "--previous", *n, check=False).stdout, what="previous logs"
    )
    assert previous.startswith("run ")
    last = eventually(
        lambda: cluster.get("pod/again", *n)["status"]["containerStatuses"][0],
        expected=lambda seen: seen["restartCount"] >= 1 and "terminated" in seen["lastState"],
        what="a restart in the status",
    )
    assert last["lastState"]["terminated"]["exitCode"] == 2


def test_exec_with_a_terminal(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("run", "shell", f"--image={IMAGE}", *n)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/shell", "--timeout=120s", *n)
    master, slave = pty.openpty()
    command = ["kubectl", "exec", "-it", "shell", *n, "--", "sh"]
    with subprocess.Popen(
        command, env=cluster.environ, stdin=slave, stdout=slave, stderr=slave, close_fds=True
    ) as child:
        os.close(slave)
        os.write(master, b"tty; exit 5\n")
        seen = b""
        try:
            while chunk := os.read(master, 4096):
                seen += chunk
        except OSError:
            pass  # the terminal is gone with its last user
        assert child.wait(timeout=20) == 5
    os.close(master)
    assert b"/dev/pts/" in seen or b"/dev/console" in seen


def test_watching_shows_each_step_of_a_pod(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    command = ["kubectl", "get", "pods", "-w", *n]
    with subprocess.Popen(command, env=cluster.environ, stdout=subprocess.PIPE, text=True) as watching:
        time.sleep(0.7)
        cluster.kubectl("run", "seen", f"--image={IMAGE}", *n)
        cluster.kubectl("wait", "--for=condition=Ready", "pod/seen", "--timeout=120s", *n)
        cluster.kubectl("delete", "pod", "seen", "--grace-period=1", *n)
        time.sleep(0.5)
        watching.terminate()
        shown, _ = watching.communicate(timeout=10)
    states = [line.split()[2] for line in shown.splitlines() if line.startswith("seen")]
    assert states[0] == "Pending"
    assert "Running" in states
    assert "Terminating" in states


def test_labels_and_patches_of_three_types(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("create", "configmap", "settings", "--from-literal=a=1", *n)
    cluster.kubectl("label", "configmap", "settings", "tier=front", *n)
    assert "settings" in cluster.kubectl("get", "configmaps", "-l", "tier in (front,back)", *n).stdout
    cluster.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data":{"b":"2"}}', *n)
    cluster.kubectl("patch", "configmap", "settings", "--type=strategic", "-p", '{"data":{"c":"3"}}', *n)
    ops = '[{"op":"remove","path":"/data/a"},{"op":"test","path":"/data/b","value":"2"}]'
    cluster.kubectl("patch", "configmap", "settings", "--type=json", "-p", ops, *n)
    assert cluster.get("configmap/settings", *n)["data"] == {"b": "2", "c": "3"}


def test_strategic_patches_merge_containers_by_name(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("apply", "-f", "-", *n, stdin=deployment("web", 0, IMAGE))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A", "value": "1"}]}]}}}}
    cluster.kubectl("patch", "deployment", "web", "-p", json.dumps(patch), *n)
    (container,) = cluster.get("deployment/web", *n)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == IMAGE
    assert container["env"] == [{"name": "A", "value": "1"}]


def test_a_cordoned_node_takes_no_pods(three_nodes: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    nodes = sorted(node["metadata"]["name"] for node in three_nodes.get("nodes")["items"])
    try:
        for node in nodes[:2]:
            three_nodes.kubectl("cordon", node)
        assert three_nodes.kubectl("get", "nodes").stdout.count("SchedulingDisabled") == 2
        three_nodes.kubectl("create", "deployment", "web", f"--image={IMAGE}", "--replicas=3", *n)
        roll_out(three_nodes, wide_namespace, "web")
        assert {pod["spec"]["nodeName"] for pod in three_nodes.get("pods", *n)["items"]} == {nodes[2]}
    finally:
        for node in nodes[:2]:
            three_nodes.kubectl("uncordon", node)


def test_a_pod_that_fits_nowhere_says_why(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    override = {"spec": {"containers": [{"name": "big", "image": IMAGE, "resources": {"requests": {"cpu": "5000"}}}]}}
    cluster.kubectl("run", "big", f"--image={IMAGE}", f"--overrides={json.dumps(override)}", *n)
    said = eventually(
        lambda: cluster.kubectl("describe", "pod", "big", *n).stdout,
        expected=lambda seen: "FailedScheduling" in seen,
        what="a reason",
    )
    assert f"0/{cluster.nodes} nodes are available: {cluster.nodes} Insufficient cpu." in said


def test_explain_and_api_resources(cluster: Cluster) -> None:
    explained = cluster.kubectl("explain", "deployment.spec.strategy").stdout
    assert "FIELD: strategy <DeploymentStrategy>" in explained
    assert "rollingUpdate" in explained
    resources = cluster.kubectl("api-resources", "--no-headers").stdout.splitlines()
    assert len(resources) > 55
    (line,) = [line for line in resources if line.startswith("deployments")]
    assert line.split() == ["deployments", "deploy", "apps/v1", "true", "Deployment"]


def test_a_namespace_goes_with_all_that_is_in_it(cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", "doomed")
    cluster.kubectl("apply", "-n", "doomed", "-f", "-", stdin=deployment("web", 1, IMAGE))
    cluster.kubectl("-n", "doomed", "create", "secret", "generic", "s", "--from-literal=a=b")
    cluster.kubectl("delete", "namespace", "doomed", "--timeout=120s")
    assert cluster.kubectl("get", "namespace", "doomed", check=False).returncode == 1
    assert cluster.get("pods,secrets,configmaps", "-n", "doomed")["items"] == []


def test_env_from_everywhere_and_volumes(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("create", "configmap", "c", "--from-literal=key=from-config", *n)
    cluster.kubectl("create", "secret", "generic", "s", "--from-literal=key=from-secret", *n)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"who": "me"}},
        "spec": {
            "restartPolicy": "Never",
            "initContainers": [
                {
                    "name": "first",
                    "image": IMAGE,
                    "command": ["sh", "-c", "echo made > /data/file"],
                    "volumeMounts": [{"name": "scratch", "mountPath": "/data"}],
                }
            ],
            "containers": [
                {
                    "name": "main",
                    "image": IMAGE,
                    "command": ["sh", "-c", "echo $A $B $C $D; cat /config/key /secret/key /data/file /labels/labels"],
                    "env": [
                        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "key"}}},
                        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "key"}}},
                        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                        {"name": "D", "value": "$(C)-again"},
                    ],
                    "volumeMounts": [
                        {"name": "config", "mountPath": "/config"},
                        {"name": "secret", "mountPath": "/secret"},
                        {"name": "scratch", "mountPath": "/data"},
                        {"name": "labels", "mountPath": "/labels"},
                    ],
                }
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "c"}},
                {"name": "secret", "secret": {"secretName": "s"}},
                {"name": "scratch", "emptyDir": {}},
                {
                    "name": "labels",
                    "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]},
                },
            ],
        },
    }
    cluster.kubectl("create", "-f", "-", *n, stdin=json.dumps(pod))
    eventually(lambda: cluster.get("pod/p", *n)["status"]["phase"] == "Succeeded", what="the pod's success")
    said = cluster.kubectl("logs", "p", *n).stdout
    assert said.startswith("from-config from-secret p p-again\n")
    assert "from-configfrom-secretmade\n" in said
    assert 'who="me"' in said
