"""Numbers and ports that are free, and what is written before a start."""

import json
import socket

import pytest

from kubus.service import SystemClock
from kubus_cli import kubeconfigs, preparation
from kubus_cli.certificates import wanted_certificates
from kubus_cli.pki import ensure


def test_a_port_that_somebody_listens_on_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not preparation.port_is_free(server.getsockname()[1])


def test_free_ports_differ():
    ports = preparation.free_ports(5)
    assert len(set(ports)) == 5 and all(preparation.port_is_free(port) for port in ports)


def test_nats_knows_every_node(cluster):
    users = [each["user"] for each in json.loads(preparation.nats_configuration(cluster))["authorization"]["users"]]
    assert [user for user in users if "system:node:" in user] == [
        "CN=system:node:node-1,O=system:nodes",
        "CN=system:node:node-2,O=system:nodes",
    ]


def test_the_administrators_kubeconfig_leads_to_the_api(cluster):
    ensure(cluster.pki_dir, wanted_certificates(cluster), SystemClock().now())
    kubeconfig = preparation.admin_kubeconfig(cluster)
    assert kubeconfig["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert kubeconfigs.merged({}, kubeconfig)["current-context"] == "kubus"


@pytest.mark.parametrize("name", ["kubernetes", "kubernetes.default.svc", "172.30.3.1", "10.99.0.1", "127.0.0.1"])
def test_pods_and_people_reach_the_apiserver_by_names_in_its_certificate(cluster, name):
    (serving,) = [each for each in wanted_certificates(cluster) if each.file == "apiserver-serving"]
    assert name in serving.names
