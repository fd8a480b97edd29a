"""Every write says who made it and what led to it: from a pod's Running back to the user's command."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from .conftest import IMAGE, KUBUS, Cluster, deployment

pytestmark = pytest.mark.e2e
SERVICES = ("system:kube-controller-manager", "system:kube-scheduler", "system:node:")
USER = "kubernetes-admin"


def journal(cluster: Cluster, since: int, until: int) -> list[dict[str, Any]]:
    """The events after one revision up to another, as `kubus tap` reads them back."""
    command = [
        str(KUBUS),
        "tap",
        "--name",
        cluster.name,
        "--home",
        str(cluster.home),
        "--since",
        str(since),
        "-o",
        "json",
    ]
    events: list[dict[str, Any]] = []
    with subprocess.Popen(command, env=cluster.environ, stdout=subprocess.PIPE, text=True) as tap:
        assert tap.stdout is not None
        for line in tap.stdout:
            events.append(json.loads(line))
            if events[-1]["revision"] >= until:
                break
        tap.terminate()
    return events


def test_from_the_last_running_pod_back_to_the_command(three_nodes: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    first = int(three_nodes.get("namespace", wide_namespace)["metadata"]["resourceVersion"])
    three_nodes.kubectl("apply", "-f", "-", *n, stdin=deployment("web", 3, IMAGE))
    three_nodes.kubectl("rollout", "status", "deployment/web", "--timeout=120s", *n)
    pods = three_nodes.get("pods", *n)["items"]
    last = max(int(pod["metadata"]["resourceVersion"]) for pod in pods)
    events = journal(three_nodes, first - 1, last)
    by_revision = {event["revision"]: event for event in events}
    for event in events:
        note = event["note"]
        assert note["by"], f"no actor: {event}"
        if note["by"].startswith(SERVICES):
            assert note.get("cause"), f"a service's write without a cause: {event}"
            assert note["cause"] < event["revision"], f"an effect before its cause: {event}"
    chain = [by_revision[last]]
    while cause := chain[-1]["note"].get("cause"):
        assert cause in by_revision, f"the chain leads out of the journal: {chain[-1]}"
        chain.append(by_revision[cause])
    assert chain[-1]["note"]["by"] == USER
    kinds = [event["object"]["kind"] for event in chain]
    assert kinds[0] == "Pod"
    assert kinds[-1] == "Deployment"
    assert "ReplicaSet" in kinds
