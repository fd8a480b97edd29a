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
    other = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "o"}, "spec": {"taints": [other]}}
    made = await api.ok("POST", "/api/v1/nodes", node)
    assert [each["effect"] for each in made["spec"]["taints"]] == ["NoExecute", "NoSchedule"]


async def test_a_claim_gets_the_default_class_unless_it_names_one(api: Api) -> None:
    claims = f"{NAMESPACE}/persistentvolumeclaims"
    assert "storageClassName" not in (await api.ok("POST", claims, claim("none")))["spec"]
    await api.ok("POST", CLASSES, storage_class("slow", default=False))
    await api.ok("POST", CLASSES, storage_class("usual", default=True))
    await api.core.freshness.consistent()
    assert (await api.ok("POST", claims, claim("a")))["spec"]["storageClassName"] == "usual"
    assert (await api.ok("POST", claims, claim("b", storageClassName="slow")))["spec"]["storageClassName"] == "slow"
    assert (await api.ok("POST", claims, claim("c", storageClassName="")))["spec"]["storageClassName"] == ""


async def test_a_claim_grows_only_bound_and_only_if_its_class_lets_it(api: Api) -> None:
    claims = f"{NAMESPACE}/persistentvolumeclaims"
    await api.ok("POST", CLASSES, {**storage_class("fixed", default=False), "allowVolumeExpansion": False})
    await api.ok("POST", CLASSES, {**storage_class("wide", default=False), "allowVolumeExpansion": True})
    patch = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    media = "application/merge-patch+json"
    for name in ("fixed", "wide"):
        made = await api.ok("POST", claims, claim(name, storageClassName=name))
        refused = await api("PATCH", f"{claims}/{name}", patch, content_type=media)
        assert refused.code in (403, 422)
        made["status"] = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
        await api.ok("PUT", f"{claims}/{name}/status", made)
    refused = await api("PATCH", f"{claims}/fixed", patch, content_type=media)
    assert refused.message.endswith("the storageclass that provisions the pvc must support resize")
    grown = await api.ok("PATCH", f"{claims}/wide", patch, content_type=media)
    assert grown["spec"]["resources"]["requests"]["storage"] == "2Gi"
