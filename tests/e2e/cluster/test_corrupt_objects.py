"""Objects of the wrong shape in etcd stop nobody on a running cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from kubus.model.codec import pack
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key

from .conftest import IMAGE, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e


def put(cluster: Cluster, key: str, value: bytes) -> None:
    """Write to etcd past the apiserver."""
    port = json.loads((cluster.home / "cluster.json").read_text())["ports"]["etcd"]
    pki = cluster.home / "pki"
    access = ["--cacert", pki / "etcd-ca.crt", "--cert", pki / "etcd-root.crt", "--key", pki / "etcd-root.key"]
    command = ["etcdctl", f"--endpoints=https://127.0.0.1:{port}", *map(str, access), "put", key]
    subprocess.run(command, env={**os.environ, "ETCDCTL_API": "3"}, input=value, capture_output=True, check=True)


def test_everything_else_goes_on(three_nodes: Cluster, wide_namespace: str) -> None:
    if shutil.which("etcdctl") is None:
        pytest.skip("needs etcdctl")
    cluster, namespace = three_nodes, wide_namespace
    note, metadata = Note("nobody", "", "create", 0), {"name": "bad", "namespace": namespace, "uid": "bad"}
    objects = [{"metadata": {**metadata, "ownerReferences": ["x"]}}, {"metadata": metadata, "spec": {"ports": "x"}}]
    for collection in (
        "pods.core",
        "services.core",
        "replicasets.apps",
        "deployments.apps",
        "endpointslices.discovery.k8s.io",
    ):
        key = store_key(Key(collection, namespace, "bad"))
        for obj in (*objects, {"metadata": {**metadata, "labels": 5}}, []):
            put(cluster, key, encode_record(note, obj))  # type: ignore[arg-type]  # corrupt
        put(cluster, key, pack([9, {}, {}]))
        put(cluster, key, b"\xc1")
    for name in ("scheduler", "controllers", "proxy-node-1", "kubelet-node-1"):
        cluster.kubus("kill", name)  # they list what stands there, too
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=deployment("web", 3, IMAGE))
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=55s")
    refused = cluster.kubectl("get", "pod", "bad", "-n", namespace, check=False)
    assert "StorageError: corrupt object" in refused.stderr
    events = eventually(
        lambda: [each for each in cluster.get("events", "-n", namespace)["items"] if each["reason"] == "CorruptObject"],
        what="an Event about a corrupt object",
    )
    assert {each["involvedObject"]["name"] for each in events} == {"bad"}
    for resource in ("pods", "services", "replicasets.apps", "deployments.apps", "endpointslices.discovery.k8s.io"):
        group, version = ("", "v1") if "." not in resource else (resource.partition(".")[2], "v1")
        root = f"/apis/{group}/{version}" if group else "/api/v1"
        path = f"{root}/namespaces/{namespace}/{resource.partition('.')[0]}/bad"
        body = json.dumps(
            {"kind": "DeleteOptions", "apiVersion": "v1", "ignoreStoreReadErrorWithClusterBreakingPotential": True}
        )
        cluster.kubectl("delete", "--raw", path, "-f", "-", stdin=body)
