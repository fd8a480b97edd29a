"""The main job: `kubus demo`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Cluster

pytestmark = pytest.mark.e2e


def test_the_demo_runs_to_its_end_and_shows_what_happened(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    try:
        done = cluster.kubus("demo", timeout=240)
        said = done.stderr
        assert "the app answers through its ClusterIP" in said and "hello from hello-" in said
        assert "the container is back, its restart counted" in said
        assert "deployments.apps default/hello  by kubernetes-admin (kubus-demo)" in done.stdout
        assert "by system:node:node-1 (kubelet)" in done.stdout
        assert cluster.get("deployment/hello")["status"]["readyReplicas"] == 2
    finally:
        cluster.kubus("down", "--purge", check=False)
