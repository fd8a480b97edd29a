"""What this machine says of itself."""

from __future__ import annotations

from kubus_kubelet import machine
from kubus_kubelet.settings import KubeletSettings, NodePaths


def test_the_machine_is_described(tmp_path):
    settings = KubeletSettings(node_name="n1", data_dir=tmp_path, cpu_millis=1500)
    paths = NodePaths(data=tmp_path, run=tmp_path)
    found = machine.describe(settings, paths, "podman://1")
    assert (found.hostname, found.cpu_millis, found.runtime) == ("n1", 1500, "podman://1")
    assert found.memory_bytes > 2**20
    assert found.disk_bytes > 2**20
    assert found.architecture in ("amd64", "arm64", "arm")


def test_health_is_measured(tmp_path):
    found = machine.health(NodePaths(data=tmp_path, run=tmp_path), "why")
    assert found.memory_available_bytes > 0
    assert 0 <= found.disk_free_share <= 1
    assert 0 < found.pids_free_share <= 1
    assert found.not_ready == "why"
