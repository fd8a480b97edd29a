"""Numbers and ports that are free, and what is written before a start."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.service import SystemClock
from kubus_cli import kubeconfigs, ownership, preparation
from kubus_cli.certificates import LOCAL, wanted_certificates
from kubus_cli.failures import Failure, MachineLacks
from kubus_cli.ownership import Claim
from kubus_cli.pki import ensure
from kubus_cli.places import Place


def test_a_port_that_somebody_listens_on_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not preparation.port_is_free(server.getsockname()[1])


def claim_of(*ports, home="/other", number=0):
    return Claim("other", Path(home), number, frozenset(ports))


def test_ports_differ_and_nobody_has_them():
    found = preparation.choose_ports("a", 1, 0, [])
    ports = {found.api, found.etcd, found.etcd_peer, found.nats}
    assert len(ports) == 4 and all(preparation.port_is_free(port) for port in ports)
    assert ports - {found.api} <= set(preparation.PRIVATE_PORTS)


@given(st.sets(st.integers(1, 65535), max_size=20), st.sampled_from(["kubus", "a"]), st.integers(0, 63))
def test_no_port_of_another_cluster_is_taken_although_a_bind_would_work(others, name, number):
    found = preparation.choose_ports(name, number, 0, [claim_of(6443, 2379, 2380, 4222, *others)])
    assert not {found.api, found.etcd, found.etcd_peer, found.nats} & {6443, 2379, 2380, 4222, *others}


def test_a_port_of_another_cluster_is_refused_by_name_and_with_an_advice_that_keeps_ours():
    with pytest.raises(MachineLacks) as caught:
        preparation.require_port(7000, Place("mine", Path("/my/home")), [claim_of(7000)])
    assert caught.value.message == "port 7000 belongs to cluster 'other' in /other"
    assert caught.value.advice == "take another one: kubus up --name mine --home /my/home --port PORT"


def test_a_port_that_several_processes_could_share_is_busy():
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        with pytest.raises(MachineLacks) as caught:
            preparation.require_port(server.getsockname()[1], Place("kubus", Path("/var/lib/kubus")), [])
    assert "--purge" not in caught.value.advice and caught.value.advice.endswith("kubus up --port PORT")


def test_a_stopped_cluster_whose_number_was_taken_is_told_who_has_it(cluster, tmp_path):
    other = replace(cluster, name="other", home=tmp_path / "other")
    assert ownership.claim(other) is None
    with pytest.raises(Failure, match="in use by cluster 'other'") as caught:
        preparation.stopped_cluster(cluster, 0)
    assert caught.value.advice == f"stop that one first: kubus down --name other --home {other.home}"


def test_a_stopped_cluster_may_move_to_another_port(cluster):
    port = preparation.choose_ports("a", 40, 0, []).etcd
    assert preparation.stopped_cluster(cluster, port).ports.api == port


def test_nats_knows_every_node(cluster):
    users = [each["user"] for each in json.loads(preparation.nats_configuration(cluster))["accounts"]["KUBUS"]["users"]]
    assert [user for user in users if "system:node:" in user] == [
        "CN=system:node:node-1,O=system:nodes",
        "CN=system:node:node-2,O=system:nodes",
    ]


def certificates_of(cluster):
    return wanted_certificates((*LOCAL, cluster.host_address), cluster.service_cidr)


def test_the_administrators_kubeconfig_leads_to_the_api(cluster):
    ensure(cluster.pki_dir, certificates_of(cluster), SystemClock().now())
    kubeconfig = preparation.admin_kubeconfig(cluster)
    assert kubeconfig["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert kubeconfigs.merged({}, kubeconfig)["current-context"] == "kubus"


@pytest.mark.parametrize("name", ["kubernetes", "kubernetes.default.svc", "172.30.3.1", "10.99.0.1", "127.0.0.1"])
def test_pods_and_people_reach_the_apiserver_by_names_in_its_certificate(cluster, name):
    (serving,) = [each for each in certificates_of(cluster) if each.file == "apiserver-serving"]
    assert name in serving.names
