"""How good a node is."""

from __future__ import annotations

from kubus.model.node_selectors import NodeTerm, Requirement
from kubus.model.taints import Taint
from kubus_scheduler.nodes import NodeFacts
from kubus_scheduler.scores import attraction_score, node_score, owner_score, resource_score, spread_score
from kubus_scheduler.templates import NodeRule

PLAIN = NodeRule((), None, (), ())


def facts(*taints: Taint, **labels: str) -> NodeFacts:
    return NodeFacts("n", labels, taints, unschedulable=False)


def test_an_empty_node_beats_a_full_one_and_a_balanced_one_a_lopsided_one() -> None:
    empty, half, full = (resource_score(1000, left, 1000, left) for left in (1000, 500, 0))
    assert empty > half > full
    assert resource_score(1000, 500, 1000, 500) > resource_score(1000, 900, 1000, 100)
    assert resource_score(1000, -500, 1000, -500) == full
    assert resource_score(0, 0, 0, 0) == full


def test_the_fewer_pods_of_the_owner_the_better() -> None:
    counts = [owner_score(count) for count in range(5)]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 5


def test_the_less_excess_the_better() -> None:
    assert spread_score(0) > spread_score(1) > spread_score(2)
    assert spread_score(-1) == spread_score(0)


def test_attraction_grows_with_the_weight_and_has_bounds() -> None:
    pulls = [attraction_score(pull, 100) for pull in (-100_000, -100, 0, 100, 100_000)]
    assert pulls == sorted(pulls)
    assert pulls[2] == 0
    assert pulls[0] >= -200 and pulls[-1] <= 200


def test_discouraging_taints_count_against_a_node_unless_tolerated() -> None:
    taint = Taint("k", "", "PreferNoSchedule")
    assert node_score(PLAIN, facts()) > node_score(PLAIN, facts(taint))
    assert node_score(PLAIN, facts(taint)) > node_score(PLAIN, facts(taint, taint))


def test_preferred_terms_count_by_their_weight() -> None:
    def term(key: str) -> NodeTerm:
        return NodeTerm((Requirement(key, "Exists"),), ())

    rule = PLAIN._replace(preferred=((80, term("a")), (20, term("b"))))
    neither, b, a, both = (node_score(rule, facts(**dict.fromkeys(keys, ""))) for keys in ("", "b", "a", "ab"))
    assert neither < b < a < both
