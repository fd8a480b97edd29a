"""What `kubus up` does beside starting processes; starting is shown in tests/e2e/cluster/test_up.py."""

from __future__ import annotations

import io
from pathlib import Path

from kubus_cli import kubeconfigs
from kubus_cli.clusters import Cluster
from kubus_cli.steps import Steps
from kubus_cli.up import add_context


def test_a_kubeconfig_that_cannot_be_written_is_a_warning_that_names_another(cluster: Cluster, tmp_path: Path) -> None:
    cluster.home.mkdir()
    kubeconfigs.write(cluster.kubeconfig, {"clusters": [], "contexts": [], "users": []})
    (tmp_path / "file").touch()
    shown = io.StringIO()
    add_context(cluster, {"KUBECONFIG": str(tmp_path / "file" / "config")}, Steps(shown))
    assert "no kubectl context in" in shown.getvalue()
    assert f"export KUBECONFIG={cluster.kubeconfig}" in shown.getvalue()
