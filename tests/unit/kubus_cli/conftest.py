"""A cluster as data, for tests of what is made of it."""

import pytest

from kubus_cli.clusters import Cluster, Ports


@pytest.fixture
def cluster(tmp_path):
    return Cluster("kubus", tmp_path / "home", 3, Ports(6443, 1001, 1002, 1003), ("node-1", "node-2"))
