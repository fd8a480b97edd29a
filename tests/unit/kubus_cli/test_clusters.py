"""Clusters as data: no two collide."""

from dataclasses import replace
from ipaddress import IPv4Network
from itertools import combinations

import pytest

from kubus_cli import clusters
from kubus_cli.failures import Failure


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
