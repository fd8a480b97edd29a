"""A cluster as data, for tests of what is made of it."""

import pytest

from kubus_cli.clusters import Cluster, Ports


@pytest.fixture
def cluster(tmp_path):
    ports = Ports(6443, 1001, 1002, 1003)
    return Cluster("kubus", tmp_path / "home", 3, ports, ("node-1", "node-2"), run_root=tmp_path / "run")
