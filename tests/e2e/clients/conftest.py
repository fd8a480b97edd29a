"""One cluster of one node for all client libraries, and a pod that runs in it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.cluster.conftest import Cluster, image, one_node

__all__ = ["image", "one_node"]  # fixtures of the tests of the cluster, used here as they are


@pytest.fixture
def cluster(one_node: Cluster) -> Cluster:
    """The cluster."""
    return one_node


@pytest.fixture
def kubeconfig(cluster: Cluster) -> Path:
    """What a client is configured by."""
    return Path(cluster.environ["KUBECONFIG"])


@pytest.fixture(scope="module")
def namespace(one_node: Cluster) -> Iterator[str]:
    """A namespace of a module's own."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    one_node.kubectl("create", "namespace", name)
    yield name
    one_node.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def pod(one_node: Cluster, namespace: str, image: str) -> str:
    """The name of a running pod that logs one line and waits."""
    command = ["sh", "-c", "echo hello from the log; exec sleep 1000"]
    spec = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": image, "command": command}]}
    text = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talker"}, "spec": spec})
    one_node.kubectl("-n", namespace, "apply", "-f", "-", stdin=text)
    one_node.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/talker", "--timeout=120s")
    return "talker"
