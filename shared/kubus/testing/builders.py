"""Objects for tests, as short as the test's point allows: `pod("web-0", node="n1", owner=web)`.

They are what a client would have sent: no uid, no revision, no defaults, unless said.
"""

from __future__ import annotations

from typing import Any

from kubus.model.objects import Object, name_of, uid_of


def meta(name: str, namespace: str = "default", **more: Any) -> dict[str, Any]:
    """A metadata map; with namespace "" for the whole cluster. What is None is left out."""
    fields = {"name": name, "namespace": namespace or None, **more}
    return {field: value for field, value in fields.items() if value is not None}


def owned_by(owner: Object) -> list[dict[str, Any]]:
    """The ownerReferences of what a controller has made."""
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": name_of(owner),
            "uid": uid_of(owner),
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def pod(
    name: str,
    namespace: str = "default",
    *,
    labels: dict[str, str] | None = None,
    node: str = "",
    phase: str = "",
    owner: Object | None = None,
    requests: dict[str, str] | None = None,
    image: str = "busybox",
    **metadata: Any,
) -> Object:
    """A pod of one container."""
    container: Object = {"name": "main", "image": image}
    if requests:
        container["resources"] = {"requests": requests}
    spec: Object = {"containers": [container]}
    if node:
        spec["nodeName"] = node
    references = owned_by(owner) if owner else None
    built: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, namespace, labels=labels, ownerReferences=references, **metadata),
        "spec": spec,
    }
    if phase:
        built["status"] = {"phase": phase}
    return built


def deployment(name: str, namespace: str = "default", *, replicas: int = 1, **metadata: Any) -> Object:
    """A Deployment whose pods carry `app: <name>`."""
    return _workload("Deployment", name, namespace, replicas, metadata)


def replicaset(name: str, namespace: str = "default", *, replicas: int = 1, **metadata: Any) -> Object:
    """A ReplicaSet whose pods carry `app: <name>`."""
    return _workload("ReplicaSet", name, namespace, replicas, metadata)


def node(name: str, *, cpu: str = "4", memory: str = "8Gi", pods: str = "110", **metadata: Any) -> Object:
    """A ready node."""
    resources = {"cpu": cpu, "memory": memory, "pods": pods}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": meta(name, "", **metadata),
        "spec": {},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        },
    }


def config_map(name: str, namespace: str = "default", data: dict[str, str] | None = None, **metadata: Any) -> Object:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name, namespace, **metadata), "data": data or {}}


def _workload(kind: str, name: str, namespace: str, replicas: int, metadata: dict[str, Any]) -> Object:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "busybox"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": meta(name, namespace, **metadata),
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }
