"""The bridge and the nodes' namespaces, as commands."""

import subprocess

import pytest

from kubus_cli import network
from kubus_cli.ownership import mark_of


def test_a_node_has_a_link_an_address_and_a_way_out(cluster):
    host, inside = network.node_commands(cluster, "node-2")
    assert host == [
        "link add kubus3v1 type veth peer name eth0 netns kubus3-node-2",
        f"link set kubus3v1 alias {mark_of(cluster)}",
        "link set kubus3v1 master kubus3 up",
    ]
    assert "address add 172.30.3.11/24 dev eth0" in inside
    assert inside[-1] == "route add default via 172.30.3.1"


def test_what_stays_inside_the_cluster_is_not_masqueraded(cluster):
    rules = network.masquerade_rules(cluster)
    assert "ip saddr 172.30.3.0/24 ip daddr != { 172.30.3.0/24, 10.241.0.0/16, 10.99.0.0/16 } masquerade" in rules


def test_nft_understands_the_rules(cluster):
    rules = network.masquerade_rules(cluster)
    done = subprocess.run(["nft", "--check", "-f", "-"], input=rules, capture_output=True, text=True, check=False)
    if "not permitted" in done.stderr:
        pytest.skip("nft needs root")
    assert done.returncode == 0, done.stderr
