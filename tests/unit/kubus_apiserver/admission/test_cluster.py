"""Small plug-ins about the cluster's own objects."""

from __future__ import annotations

from typing import Any

from tests.unit.kubus_apiserver.conftest import Api

NAMESPACE = "/api/v1/namespaces/default"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


def storage_class(name: str, *, default: bool) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if default:
        metadata["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata, "provisioner": "p"}


def claim(name: str, **spec: Any) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


async def test_the_clusters_own_namespaces_stay(api: Api) -> None:
    refused = await api("DELETE", "/api/v1/namespaces/kube-system")
    assert (refused.code, refused.message) == (
        403,
        'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    )


async def test_a_new_node_gets_no_pods_before_it_is_ready(api: Api) -> None:
    made = await api.ok("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})
    assert made["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]


async def test_a_claim_gets_the_default_class_unless_it_names_one(api: Api) -> None:
    claims = f"{NAMESPACE}/persistentvolumeclaims"
    assert "storageClassName" not in (await api.ok("POST", claims, claim("none")))["spec"]
    await api.ok("POST", CLASSES, storage_class("slow", default=False))
    await api.ok("POST", CLASSES, storage_class("usual", default=True))
    await api.core.freshness.consistent()
    assert (await api.ok("POST", claims, claim("a")))["spec"]["storageClassName"] == "usual"
    assert (await api.ok("POST", claims, claim("b", storageClassName="slow")))["spec"]["storageClassName"] == "slow"
    assert (await api.ok("POST", claims, claim("c", storageClassName="")))["spec"]["storageClassName"] == ""
