"""What a kubelet is told, and where it keeps things."""

from __future__ import annotations

from pathlib import Path

from kubus.service.settings import read
from kubus_kubelet.settings import KubeletSettings, NodePaths


def test_settings_come_from_the_environment():
    found = read(
        KubeletSettings, {"KUBUS_NODE_NAME": "n1", "KUBUS_NODE_NETNS": "/run/netns/x", "KUBUS_IMAGE_STORES": ""}
    )
    assert (found.node_name, found.node_netns, found.image_stores, found.max_pods) == ("n1", "/run/netns/x", (), 110)


def test_two_nodes_share_nothing_and_socket_paths_are_short(tmp_path):
    deep = tmp_path.joinpath(*["very-long-directory-name"] * 8)
    first, second = (NodePaths.of(KubeletSettings(node_name=name, data_dir=deep)) for name in ("n1", "n2"))
    assert first.data != second.data
    assert first.run != second.run
    assert len(str(first.podman_socket)) < 108
    assert first.pod("u") == Path(deep, "nodes", "n1", "pods", "u")
