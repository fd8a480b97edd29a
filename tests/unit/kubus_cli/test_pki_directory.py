"""The directory that a cluster of containers shares."""

import json

import pytest

from kubus_cli.failures import Misused
from kubus_cli.kubeconfigs import read
from kubus_cli.pki_directory import fill


def test_a_directory_is_filled_once(tmp_path):
    made = fill(str(tmp_path), ["node-1"], ["host"], "10.96.0.0/16", "https://apiserver:6443")
    assert {"ca", "nats", "apiserver-serving", "kubelet-node-1", "admin"} <= set(made)
    assert {"etcd-ca", "etcd", "etcd-root", "etcd-apiserver", "etcd-relay"} <= set(made)
    assert fill(str(tmp_path), ["node-1"], ["host"], "10.96.0.0/16", "https://apiserver:6443") == []


def test_the_servers_configuration_and_the_kubeconfig_are_there(tmp_path):
    fill(str(tmp_path), ["node-1"], [], "10.96.0.0/16", "https://apiserver:6443")
    users = [each["user"] for each in json.loads((tmp_path / "nats.conf").read_bytes())["authorization"]["users"]]
    assert "CN=system:node:node-1,O=system:nodes" in users
    assert read(tmp_path / "kubeconfig")["clusters"][0]["cluster"]["server"] == "https://apiserver:6443"


def test_a_range_that_is_none_is_refused(tmp_path):
    with pytest.raises(Misused, match="--service-cidr"):
        fill(str(tmp_path), [], [], "many", "https://x")
