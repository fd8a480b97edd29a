"""A node is drained no faster than a disruption budget allows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from typing import Any

import pytest

from .conftest import Cluster, deployment, eventually

pytestmark = pytest.mark.e2e
NODE = "node-1"


def _at_home(name: str, image: str) -> str:
    """A Deployment whose pods are on one node as long as that takes them."""
    made = json.loads(deployment(name, 2, image))
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}]}
    affinity = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": term}]}
    made["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": affinity}
    return json.dumps(made)


def _is_serving(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _counts(events: Iterable[dict[str, Any]]) -> list[int]:
    """How many pods were serving after each event of a watch."""
    serving: dict[str, bool] = {}
    counts = []
    for event in events:
        pod = event["object"]
        serving[pod["metadata"]["name"]] = event["type"] != "DELETED" and _is_serving(pod)
        counts.append(sum(serving.values()))
    return counts


def test_a_drain_waits_for_the_budget_and_never_goes_below_it(
    three_nodes: Cluster, wide_namespace: str, image: str, tmp_path: Any
) -> None:
    cluster, n = three_nodes, ("-n", wide_namespace)
    cluster.kubectl(*n, "apply", "-f", "-", stdin=_at_home("held", image))
    cluster.kubectl(*n, "create", "poddisruptionbudget", "held", "--selector=app=held", "--min-available=2")
    cluster.kubectl(*n, "wait", "--for=condition=Available", "deployment/held", "--timeout=120s")
    drain = ("drain", NODE, "--pod-selector=app=held", "--grace-period=1")
    try:
        eventually(lambda: cluster.get("pdb", "held", *n)["status"]["currentHealthy"] == 2, what="a counted budget")
        refused = cluster.kubectl(*drain, "--timeout=1s", check=False)
        assert refused.returncode != 0
        assert "Cannot evict pod as it would violate the pod's disruption budget." in refused.stdout + refused.stderr
        pods = cluster.get("pods", *n)["items"]
        assert [_is_serving(pod) and pod["spec"]["nodeName"] for pod in pods] == [NODE, NODE]
        with (tmp_path / "events").open("wb") as seen:
            watch = subprocess.Popen(
                ["kubectl", *n, "get", "pods", "-w", "-o", "json", "--output-watch-events"],
                env=cluster.environ,
                stdout=seen,
            )
            cluster.kubectl(*n, "patch", "pdb", "held", "-p", '{"spec":{"minAvailable":1}}')
            drained = cluster.kubectl(*drain, "--timeout=120s")
            watch.terminate()
            watch.wait()
        assert drained.stdout.count("evicted") == 2
        decoder, text, events = json.JSONDecoder(), (tmp_path / "events").read_text(), []
        while text.strip():
            event, end = decoder.raw_decode(text)
            events.append(event)
            text = text[end:].lstrip()
        counts = _counts(events)
        assert min(counts[1:]) == 1, counts
    finally:
        cluster.kubectl("uncordon", NODE)
