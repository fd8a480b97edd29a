"""Jobs, CronJobs, DaemonSets and StatefulSets, from kubectl to containers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Cluster, eventually

pytestmark = pytest.mark.e2e


def _manifest(kind: str, name: str, image: str, *command: str, api: str = "apps/v1", **spec: Any) -> str:
    container = {"name": "c", "image": image, **({"command": [*command]} if command else {})}
    pod = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    template: dict[str, Any] = {"metadata": {"labels": {"app": name}}, "spec": pod}
    if kind == "Job":
        pod["restartPolicy"] = "Never"
    else:
        spec["selector"] = {"matchLabels": {"app": name}}
    body = {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": {"template": template, **spec}}
    return json.dumps(body)


def test_an_indexed_job_counts_what_each_index_came_to(three_nodes: Cluster, wide_namespace: str, image: str) -> None:
    n = ("-n", wide_namespace)
    job = _manifest(
        *("Job", "indexed", image, "sh", "-c", "echo this is $JOB_COMPLETION_INDEX; test $JOB_COMPLETION_INDEX != 1"),
        api="batch/v1",
        completions=3,
        parallelism=3,
        completionMode="Indexed",
        backoffLimitPerIndex=0,
    )
    three_nodes.kubectl(*n, "apply", "-f", "-", stdin=job)
    three_nodes.kubectl(*n, "wait", "--for=condition=Failed", "job/indexed", "--timeout=120s")
    status = three_nodes.get("job", "indexed", *n)["status"]
    assert (status["succeeded"], status["completedIndexes"]) == (2, "0,2")
    assert (status["failed"], status["failedIndexes"]) == (1, "1")
    assert status["uncountedTerminatedPods"] == {}
    label = "batch.kubernetes.io/job-completion-index=2"
    assert three_nodes.kubectl(*n, "logs", "-l", label).stdout == "this is 2\n"
    three_nodes.kubectl(*n, "delete", "job", "indexed")
    eventually(lambda: not three_nodes.get("pods", *n)["items"], what="the end of the Job's pods")


def test_a_cron_job_makes_jobs_and_says_when(three_nodes: Cluster, wide_namespace: str, image: str) -> None:
    n = ("-n", wide_namespace)
    three_nodes.kubectl(
        *n, "create", "cronjob", "tick", f"--image={image}", "--schedule=@every 1s", "--restart=Never", "--", "true"
    )

    def succeeded() -> bool:
        return "lastSuccessfulTime" in three_nodes.get("cronjob", "tick", *n).get("status", {})

    eventually(succeeded, what="a run that succeeded")
    three_nodes.kubectl(*n, "patch", "cronjob", "tick", "-p", '{"spec":{"suspend":true}}')
    (owner,) = three_nodes.get("jobs", *n)["items"][0]["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("CronJob", "tick")


def test_a_daemon_set_is_on_every_node_and_goes_back(three_nodes: Cluster, wide_namespace: str, image: str) -> None:
    n = ("-n", wide_namespace)
    three_nodes.kubectl(*n, "apply", "-f", "-", stdin=_manifest("DaemonSet", "agent", image))
    three_nodes.kubectl(*n, "rollout", "status", "ds/agent", "--timeout=120s")
    nodes = {node["metadata"]["name"] for node in three_nodes.get("nodes")["items"]}
    assert {pod["spec"]["nodeName"] for pod in three_nodes.get("pods", *n)["items"]} == nodes
    three_nodes.kubectl(*n, "set", "env", "ds/agent", "NEW=yes")
    three_nodes.kubectl(*n, "rollout", "status", "ds/agent", "--timeout=120s")
    assert three_nodes.kubectl(*n, "rollout", "history", "ds/agent").stdout.split()[-4::2] == ["1", "2"]
    three_nodes.kubectl(*n, "rollout", "undo", "ds/agent")
    three_nodes.kubectl(*n, "rollout", "status", "ds/agent", "--timeout=120s")
    pods = three_nodes.get("pods", *n)["items"]
    assert not any("env" in container for pod in pods for container in pod["spec"]["containers"])


def test_a_stateful_set_keeps_names_and_order(three_nodes: Cluster, wide_namespace: str, image: str) -> None:
    n = ("-n", wide_namespace)
    manifest = _manifest("StatefulSet", "db", image, replicas=3, serviceName="db")
    three_nodes.kubectl(*n, "apply", "-f", "-", stdin=manifest)
    three_nodes.kubectl(*n, "rollout", "status", "sts/db", "--timeout=120s")
    pods = three_nodes.get("pods", *n, "--sort-by=.status.startTime")["items"]
    assert [pod["metadata"]["name"] for pod in pods] == ["db-0", "db-1", "db-2"]
    assert three_nodes.kubectl(*n, "exec", "db-1", "--", "hostname").stdout == "db-1\n"
    uid = pods[1]["metadata"]["uid"]
    three_nodes.kubectl(*n, "delete", "pod", "db-1")
    eventually(lambda: three_nodes.get("sts", "db", *n)["status"].get("readyReplicas") == 3, what="the pod's successor")
    assert three_nodes.get("pod", "db-1", *n)["metadata"]["uid"] != uid
    three_nodes.kubectl(*n, "scale", "sts/db", "--replicas=1")
    eventually(lambda: len(three_nodes.get("pods", *n)["items"]) == 1, what="the last two to go")
    assert three_nodes.get("pods", *n)["items"][0]["metadata"]["name"] == "db-0"


def test_an_eviction_is_no_failure_of_a_job_that_says_so(three_nodes: Cluster, wide_namespace: str, image: str) -> None:
    n = ("-n", wide_namespace)
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    policy = {"rules": [{"action": "Ignore", "onPodConditions": [disrupted]}]}
    job = _manifest("Job", "moved", image, "sleep", "100", api="batch/v1", backoffLimit=0, podFailurePolicy=policy)
    three_nodes.kubectl(*n, "apply", "-f", "-", stdin=job)
    three_nodes.kubectl(*n, "wait", "--for=jsonpath={.status.ready}=1", "job/moved", "--timeout=120s")
    (pod,) = three_nodes.get("pods", *n)["items"]
    name = pod["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": wide_namespace}}
    path = f"/api/v1/namespaces/{wide_namespace}/pods/{name}/eviction"
    three_nodes.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))

    def replaced() -> bool:
        pods = three_nodes.get("pods", *n)["items"]
        return [each["metadata"]["name"] != name and each["status"]["phase"] == "Running" for each in pods] == [True]

    eventually(replaced, what="another pod in its place")
    assert "failed" not in three_nodes.get("job", "moved", *n)["status"]


def _uids(cluster: Cluster, namespace: str) -> set[str]:
    return {pod["metadata"]["uid"] for pod in cluster.get("pods", "-n", namespace)["items"]}


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Deployment"])
def test_pods_left_by_an_orphaning_deletion_are_adopted_untouched(
    three_nodes: Cluster, wide_namespace: str, image: str, kind: str
) -> None:
    n = ("-n", wide_namespace)
    spec = {"DaemonSet": {}, "StatefulSet": {"replicas": 2, "serviceName": "kept"}, "Deployment": {"replicas": 2}}[kind]
    manifest = _manifest(kind, "kept", image, **spec)
    three_nodes.kubectl(*n, "apply", "-f", "-", stdin=manifest)
    three_nodes.kubectl(*n, "rollout", "status", f"{kind}/kept", "--timeout=120s")
    before = _uids(three_nodes, wide_namespace)
    three_nodes.kubectl(*n, "delete", kind, "kept", "--cascade=orphan", "--timeout=120s")
    dependents = three_nodes.get("replicasets" if kind == "Deployment" else "pods,controllerrevisions", *n)["items"]
    assert not any(each["metadata"].get("ownerReferences") for each in dependents)
    assert _uids(three_nodes, wide_namespace) == before

    three_nodes.kubectl(*n, "apply", "-f", "-", stdin=manifest)
    three_nodes.kubectl(*n, "rollout", "status", f"{kind}/kept", "--timeout=120s")
    owner = three_nodes.get(kind, "kept", *n)["metadata"]["uid"]

    def owners() -> set[str]:
        found = three_nodes.get("replicasets" if kind == "Deployment" else "pods,controllerrevisions", *n)["items"]
        return {each["uid"] for obj in found for each in obj["metadata"].get("ownerReferences", [{"uid": ""}])}

    eventually(owners, expected=lambda found: found == {owner}, what="the adoption")
    assert _uids(three_nodes, wide_namespace) == before


def test_a_taint_set_by_kubectl_evicts_when_the_tolerated_seconds_are_over(
    three_nodes: Cluster, wide_namespace: str, image: str
) -> None:
    """On a Node without a kubelet, so that nothing else is evicted."""
    n = ("-n", wide_namespace)
    node = f"ghost-{wide_namespace}"
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}
    three_nodes.kubectl("create", "-f", "-", stdin=json.dumps(body))
    try:
        for name, seconds in (("short", 2), ("long", 600)):
            toleration = {"key": "repair", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}
            container = {"name": "c", "image": image}
            spec = {"nodeName": node, "tolerations": [toleration], "containers": [container]}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
            three_nodes.kubectl(*n, "create", "-f", "-", stdin=json.dumps(pod))
        three_nodes.kubectl("taint", "node", node, "repair=soon:NoExecute")

        def leaving() -> set[str]:
            there = {each["metadata"]["name"]: each for each in three_nodes.get("pods", *n)["items"]}
            going = {name for name, each in there.items() if each["metadata"].get("deletionTimestamp")}
            return {"short", "long"} - there.keys() | going

        assert eventually(leaving, what="the eviction of the pod that tolerates two seconds") == {"short"}
        (taint,) = [each for each in three_nodes.get("node", node)["spec"]["taints"] if each["key"] == "repair"]
        assert taint["timeAdded"]
    finally:
        three_nodes.kubectl("delete", "node", node, "--wait=false")
        three_nodes.kubectl(*n, "delete", "pods", "--all", "--grace-period=0", "--force", "--wait=false")
