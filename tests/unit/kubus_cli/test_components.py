"""What a cluster runs, and what each is told."""

import pytest

from kubus.service.settings import Settings, read
from kubus_cli.components import components, kubelet_environment

PROGRAMS = {"etcd": "/usr/bin/etcd", "nats-server": "/x/nats-server"}


@pytest.fixture
def by_name(cluster):
    environ = {"PATH": "/bin", "KUBUS_HOME": "/elsewhere", "KUBUS_LOG_LEVEL": "debug"}
    return {each.instance: each for each in components(cluster, PROGRAMS, environ)}


def test_each_node_has_a_kubelet_and_a_proxy_and_the_host_a_proxy(by_name):
    assert list(by_name) == [
        "etcd",
        "etcd-access",
        "nats",
        "apiserver",
        "relay",
        "scheduler",
        "controllers",
        "proxy-host",
        "kubelet-node-1",
        "proxy-node-1",
        "kubelet-node-2",
        "proxy-node-2",
    ]


def test_every_service_can_read_its_common_settings(by_name, cluster):
    for each in by_name.values():
        if each.service:
            settings = read(Settings, each.environ)
            assert settings.instance == each.instance
            assert settings.nats_url == "tls://127.0.0.1:1003"
            assert settings.log_level == "debug"
            assert settings.nats_tls_files is not None and settings.nats_tls_files[0] == cluster.pki_dir / "bus-ca.crt"
            assert settings.nats_tls_files[1].parent == cluster.pki_dir


def test_each_runs_under_an_identity_of_its_own(by_name):
    assert by_name["kubelet-node-2"].environ["KUBUS_IDENTITY"] == "system:node:node-2"
    assert by_name["kubelet-node-2"].environ["KUBUS_NATS_CERT_FILE"].endswith("kubelet-node-2.crt")
    assert by_name["apiserver"].environ["KUBUS_IDENTITY"] == "system:apiserver"


def test_only_apiserver_and_relay_are_told_of_etcd_each_with_a_certificate_for_it(by_name):
    told = {each.instance: each.environ.get("KUBUS_ETCD_CERT_FILE", "") for each in by_name.values()}
    shown = {name: file.rpartition("/")[2] for name, file in told.items() if file}
    assert shown == {
        "etcd-access": "etcd-root.crt",
        "apiserver": "etcd-apiserver.crt",
        "relay": "etcd-relay.crt",
    }
    assert not any("KUBUS_ETCD_ENDPOINTS" in by_name[name].environ for name in set(by_name) - set(shown))


def test_the_supervisors_own_variables_are_not_handed_on(by_name):
    assert "KUBUS_HOME" not in by_name["scheduler"].environ
    assert by_name["scheduler"].environ["PATH"] == "/bin"


def test_what_depends_on_others_says_so(by_name):
    assert by_name["etcd"].after == ()
    assert by_name["apiserver"].after == ("etcd", "etcd-access", "nats")
    assert by_name["kubelet-node-1"].after == ("apiserver", "relay")


def test_the_hosts_nft_table_bears_the_clusters_tag(by_name):
    assert by_name["proxy-host"].environ["KUBUS_TABLE"] == "kubus3-proxy"
    assert by_name["proxy-host"].environ["KUBUS_NODE_NETNS"] == ""


def test_a_clean_up_finds_what_the_kubelet_made(by_name, cluster):
    told = kubelet_environment(cluster, "node-1")
    kubelet = by_name["kubelet-node-1"].environ
    assert {key: kubelet[key] for key in told} == told


def test_apiservers_share_the_port_and_nothing_else_on_disk(cluster):
    every = components(cluster.with_apiservers(2), PROGRAMS, {})
    found = [each for each in every if each.service == "apiserver"]
    assert [each.instance for each in found] == ["apiserver", "apiserver-2"]
    assert len({each.environ["KUBUS_LISTEN"] for each in found}) == 1
    assert len({each.environ["KUBUS_AUDIT_LOG_FILE"] for each in found}) == 2


def test_kubelets_are_told_the_clusters_dns(cluster):
    every = components(cluster.with_dns("10.99.0.10", "example.org"), PROGRAMS, {})
    (told,) = {
        (each.environ["KUBUS_CLUSTER_DNS"], each.environ["KUBUS_CLUSTER_DOMAIN"])
        for each in every
        if each.service == "kubelet"
    }
    assert told == ("10.99.0.10", "example.org")
