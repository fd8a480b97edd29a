"""Builders of nodes and pods, as fixtures: tests of a directory cannot import one another."""

from __future__ import annotations

from typing import Any

import pytest


class Build:
    """Makes API objects with as little as a test wants to say."""

    def __init__(self) -> None:
        self._revision = 0

    def revision(self) -> str:
        self._revision += 1
        return str(self._revision)

    def node(
        self,
        name: str,
        *,
        cpu: str = "4",
        memory: str = "8Gi",
        pods: str = "110",
        labels: dict[str, str] | None = None,
        extended: dict[str, str] | None = None,
        **spec: Any,
    ) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {"kubernetes.io/hostname": name, **(labels or {})},
                "resourceVersion": self.revision(),
            },
            "spec": spec,
            "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods, **(extended or {})}},
        }

    def pod(
        self,
        name: str,
        *,
        namespace: str = "default",
        cpu: str = "100m",
        memory: str = "100Mi",
        labels: dict[str, str] | None = None,
        owner: str = "",
        node: str = "",
        ports: list[int] | None = None,
        created: str = "2026-01-01T00:00:00Z",
        **spec: Any,
    ) -> dict[str, Any]:
        container: dict[str, Any] = {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
        if ports:
            container["ports"] = [{"hostPort": port, "containerPort": port} for port in ports]
        meta: dict[str, Any] = {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "labels": labels or {},
            "creationTimestamp": created,
            "resourceVersion": self.revision(),
        }
        if owner:
            meta["ownerReferences"] = [{"uid": owner, "controller": True}]
        if node:
            spec["nodeName"] = node
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta,
            "spec": {"schedulerName": "default-scheduler", "containers": [container], **spec},
            "status": {"phase": "Pending"},
        }

    def bound(self, pod: dict[str, Any], node: str) -> dict[str, Any]:
        return {
            **pod,
            "metadata": {**pod["metadata"], "resourceVersion": self.revision()},
            "spec": {**pod["spec"], "nodeName": node},
        }


@pytest.fixture(scope="session")
def build() -> Build:
    return Build()
