"""Terms about other pods, parsed."""

from __future__ import annotations

import pytest

from kubus_scheduler.podterms import PodSelector, match_label_keys, pod_terms, spread_rules


def term(**more: object) -> dict:
    return {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "a"}}, **more}


def selector(**more: object) -> PodSelector:
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term(**more)]}}
    return pod_terms(affinity, "own", {"hash": "1"}).required[0].selector


@pytest.mark.parametrize(
    ("more", "namespace", "labels", "namespace_labels", "picked"),
    [
        ({}, "own", {"app": "a"}, {}, True),
        ({}, "own", {"app": "b"}, {}, False),
        ({}, "other", {"app": "a"}, {}, False),
        ({"namespaces": ["other"]}, "other", {"app": "a"}, {}, True),
        ({"namespaces": ["other"]}, "own", {"app": "a"}, {}, False),
        ({"namespaceSelector": {}}, "any", {"app": "a"}, {}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "x"}}}, "any", {"app": "a"}, {"team": "x"}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "x"}}}, "own", {"app": "a"}, {}, False),
        ({"labelSelector": None}, "own", {"app": "a"}, {}, False),
        ({"matchLabelKeys": ["hash"]}, "own", {"app": "a", "hash": "1"}, {}, True),
        ({"matchLabelKeys": ["hash"]}, "own", {"app": "a", "hash": "2"}, {}, False),
        ({"mismatchLabelKeys": ["hash"]}, "own", {"app": "a", "hash": "1"}, {}, False),
    ],
)
def test_a_term_picks_pods_by_namespace_and_labels(
    more: dict, namespace: str, labels: dict, namespace_labels: dict, picked: bool
) -> None:
    assert selector(**more).picks(namespace, labels, namespace_labels) is picked


def test_preferred_anti_affinity_weighs_against() -> None:
    weighted = [{"weight": 30, "podAffinityTerm": term()}]
    side = {"preferredDuringSchedulingIgnoredDuringExecution": weighted}
    terms = pod_terms({"podAffinity": side, "podAntiAffinity": side}, "own", {})
    assert [each.weight for each in terms.preferred] == [30, -30]


def test_a_spread_constraint_has_kubernetes_defaults() -> None:
    (rule,) = spread_rules({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]}, "own", {})
    assert (rule.max_skew, rule.min_domains, rule.hard) == (2, 1, True)
    assert rule.honors_node_rule
    assert not rule.honors_taints
    assert not rule.selector.picks("own", {}, {}), "no selector picks no pod"


def test_label_keys_are_found_wherever_they_are_used() -> None:
    weighted = [{"weight": 1, "podAffinityTerm": term(mismatchLabelKeys=["b"])}]
    spec = {
        "topologySpreadConstraints": [{"matchLabelKeys": ["a"]}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": weighted}},
    }
    assert match_label_keys(spec) == {"a", "b"}
