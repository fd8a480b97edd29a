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
    assert {"bus-ca", "apiserver", "relay", "admin-bus", "tap"} <= set(made)
    assert fill(str(tmp_path), ["node-1"], ["host"], "10.96.0.0/16", "https://apiserver:6443") == []


def test_the_servers_configuration_and_the_kubeconfig_are_there(tmp_path):
    fill(str(tmp_path), ["node-1"], [], "10.96.0.0/16", "https://apiserver:6443")
    users = [each["user"] for each in json.loads((tmp_path / "nats.conf").read_bytes())["accounts"]["KUBUS"]["users"]]
    assert "CN=system:node:node-1,O=system:nodes" in users
    assert read(tmp_path / "kubeconfig")["clusters"][0]["cluster"]["server"] == "https://apiserver:6443"


def test_a_range_that_is_none_is_refused(tmp_path):
    with pytest.raises(Misused, match="--service-cidr"):
        fill(str(tmp_path), [], [], "many", "https://x")


def test_each_service_gets_its_own_files_and_no_others(tmp_path):
    fill(str(tmp_path), ["node-1", "node-2"], [], "10.96.0.0/16", "https://apiserver:6443")
    services = {each.name: {file.name for file in each.iterdir()} for each in (tmp_path / "services").iterdir()}
    keys = {service: {file for file in files if ".key" in file} for service, files in services.items()}
    assert keys == {
        "etcd": {"etcd.key"},
        "etcd-access": {"etcd-root.key"},
        "nats": {"nats.key"},
        "apiserver": {
            *("apiserver.key", "etcd-apiserver.key", "apiserver-serving.key", "front-proxy-client.key"),
            *("service-accounts.key", "service-accounts-previous.key", "secrets.keys"),
        },
        "relay": {"relay.key", "etcd-relay.key"},
        "scheduler": {"scheduler.key"},
        "controllers": {"controllers.key", "ca.key"},
        "tap": {"admin-bus.key"},
        "node-1": {"kubelet-node-1.key", "proxy.key"},
        "node-2": {"kubelet-node-2.key", "proxy.key"},
    }
    for file in (tmp_path / "services" / "apiserver").iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes() and file.stat().st_mode & 0o077 == 0


def test_what_a_service_is_not_given_any_more_goes(tmp_path):
    fill(str(tmp_path), ["node-1"], [], "10.96.0.0/16", "https://apiserver:6443")
    stray = tmp_path / "services" / "node-1" / "ca.key"
    stray.write_text("left by an earlier version")
    fill(str(tmp_path), ["node-1"], [], "10.96.0.0/16", "https://apiserver:6443")
    assert not stray.exists()
