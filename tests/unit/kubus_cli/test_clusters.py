"""Clusters as data: no two collide."""

from dataclasses import replace
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_cli import clusters
from kubus_cli.clusters import Cluster, Ports
from kubus_cli.failures import Failure, Misused


def test_what_is_saved_is_loaded(cluster):
    clusters.save(cluster)
    assert clusters.load(cluster.home) == replace(cluster, run_root=clusters.RUN_ROOT)


def test_where_nothing_was_saved_there_is_none(tmp_path):
    assert clusters.load(tmp_path) is None


def test_a_damaged_file_is_said_so_with_advice(tmp_path):
    (tmp_path / clusters.FILE).write_text("{")
    with pytest.raises(Failure, match="is damaged") as caught:
        clusters.load(tmp_path)
    assert "--purge" not in caught.value.advice and "data is untouched" in caught.value.advice


def test_no_ranges_of_two_clusters_overlap():
    ranges = [network for number in clusters.NUMBERS for network in clusters.ranges_of(number)]
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))


@pytest.mark.parametrize(
    ("used", "networks", "number"),
    [
        (set(), [], 0),
        ({0, 1}, [], 2),
        (set(), ["172.30.0.0/24"], 1),
        (set(), ["10.244.3.0/24"], 1),
        ({0}, ["10.97.0.0/16", "192.168.0.0/16"], 2),
    ],
)
def test_the_lowest_free_number_is_taken(used, networks, number):
    assert clusters.free_number(used, [IPv4Network(each) for each in networks]) == number


def test_a_machine_full_of_clusters_is_said_so():
    with pytest.raises(Failure, match="no address range"):
        clusters.free_number(set(clusters.NUMBERS), [])


def test_nodes_are_added_and_keep_their_addresses(cluster):
    grown = cluster.with_nodes(4)
    assert grown.nodes == ("node-1", "node-2", "node-3", "node-4")
    assert [grown.node_address(node) for node in grown.nodes[:2]] == ["172.30.3.10", "172.30.3.11"]
    assert cluster.with_nodes(1) == cluster


@given(st.lists(st.one_of(st.integers(1, 8), st.integers(1, 8).map(lambda each: f"node-{each}")), max_size=12))
def test_nodes_that_come_and_go_change_no_other_nodes_address(steps):
    """An integer asks for so many nodes, a name removes one."""
    cluster = Cluster("a", Path("/a"), 3, Ports(1, 2, 3, 4), ("node-1",))
    for step in steps:
        before = {node: cluster.node_address(node) for node in cluster.nodes}
        changed = cluster.without_node(step) if isinstance(step, str) else cluster.with_nodes(step)
        after = {node: changed.node_address(node) for node in changed.nodes}
        assert len(set(after.values())) == len(after)
        assert all(after[node] == address for node, address in before.items() if node in after)
        assert len(changed.nodes) == (len(before.keys() - {step}) if isinstance(step, str) else max(len(before), step))
        cluster = changed


def test_names_of_the_kernels_things_are_short_enough(cluster):
    assert len(f"{cluster.tag}v{clusters.NODES_MAX}") <= 15
    run_dir = replace(cluster, run_root=clusters.RUN_ROOT).run_dir
    assert len(str(run_dir / f"kubelet-{'x' * 63}.notify")) < 107


def test_damaged_homes_are_left_out_of_the_clusters_of_many(cluster, tmp_path):
    clusters.save(cluster)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / clusters.FILE).write_text("[]")
    homes = [damaged, tmp_path / "nothing", cluster.home]
    assert [each.home for each in clusters.load_all(homes)] == [cluster.home]


def test_the_dns_of_a_cluster_is_kept_where_no_other_is_named(cluster):
    named = cluster.with_dns("10.96.0.10", "example.org")
    assert (named.dns, named.domain) == ("10.96.0.10", "example.org")
    assert named.with_dns("", "") == named
    assert (cluster.dns, cluster.domain) == ("", "cluster.local")
    clusters.save(named)
    assert clusters.load(named.home).dns == "10.96.0.10"


@pytest.mark.parametrize(("address", "domain"), [("ns.example.org", ""), ("10.96.0", ""), ("", "a b"), ("", "-")])
def test_a_dns_that_cannot_be_one_is_refused(cluster, address, domain):
    with pytest.raises(Misused, match="--cluster-d"):
        cluster.with_dns(address, domain)
