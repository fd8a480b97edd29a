"""Numbers are owned by one cluster at a time, and what bears another one's mark is left alone."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kubus_cli import leftovers, ownership, processes
from kubus_cli.clusters import Cluster


def another(cluster, tmp_path):
    return replace(cluster, name="another", home=tmp_path / "another")


def test_a_claim_says_whose_a_number_is_and_which_ports_go_with_it(cluster):
    assert not ownership.is_owner(cluster)
    assert ownership.claim(cluster) is None
    (claim,) = ownership.claims(cluster.run_root)
    assert claim == ownership.Claim("kubus", cluster.home, 3, frozenset({6443, 1001, 1002, 1003}))
    assert ownership.is_owner(cluster)
    assert ownership.other_claims(cluster.home, cluster.run_root) == []


def test_a_number_that_another_cluster_has_is_not_had(cluster, tmp_path):
    ownership.claim(cluster)
    late = another(cluster, tmp_path)
    owner = ownership.claim(late)
    assert owner is not None and owner.home == cluster.home
    assert not ownership.is_owner(late) and ownership.is_owner(cluster)


def test_who_does_not_own_a_number_cannot_give_it_back(cluster, tmp_path):
    ownership.claim(cluster)
    ownership.release(another(cluster, tmp_path))
    assert ownership.is_owner(cluster)
    ownership.release(cluster)
    assert ownership.owner_of(cluster) is None and not cluster.run_dir.exists()


def test_processes_of_another_cluster_are_no_leftovers(cluster, tmp_path):
    ownership.claim(cluster)
    leftovers.remember(cluster.run_dir, {"supervisor": processes.os.getpid()})
    assert leftovers.find(cluster)
    assert leftovers.find(another(cluster, tmp_path)) == {}


def test_a_damaged_claim_is_none(cluster):
    ownership.claim(cluster)
    (cluster.run_dir / ownership.OWNER_FILE).write_text("{")
    (cluster.run_root / "kubus-stray").mkdir()
    (cluster.run_root / "kubus7").write_text("")
    assert ownership.claims(cluster.run_root) == []


@given(st.sets(st.text("abc/ ü", min_size=1), min_size=2, max_size=8))
def test_each_home_has_a_mark_of_its_own_that_ip_and_nft_take_as_one_word(homes):
    marks = {ownership.mark_of(Cluster("a", home, 0, None, ())) for home in homes}
    assert len(marks) == len(homes)
    assert all(mark.replace(":", "").isalnum() and len(mark) < 64 for mark in marks)
