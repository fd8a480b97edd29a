"""Requirements on labels."""

from __future__ import annotations

import pytest

from kubus.model.node_selectors import NodeTerm, Requirement, all_match, from_selector, required_nodes

LABELS = {"a": "1", "b": "x"}


@pytest.mark.parametrize(
    ("requirement", "holds"),
    [
        (Requirement("a", "In", ("1", "2")), True),
        (Requirement("a", "In", ("2",)), False),
        (Requirement("c", "In", ("2",)), False),
        (Requirement("a", "NotIn", ("2",)), True),
        (Requirement("a", "NotIn", ("1",)), False),
        (Requirement("c", "NotIn", ("1",)), True),
        (Requirement("a", "Exists"), True),
        (Requirement("c", "Exists"), False),
        (Requirement("c", "DoesNotExist"), True),
        (Requirement("a", "DoesNotExist"), False),
        (Requirement("a", "Gt", ("0",)), True),
        (Requirement("a", "Gt", ("1",)), False),
        (Requirement("a", "Lt", ("2",)), True),
        (Requirement("b", "Gt", ("0",)), False),
        (Requirement("c", "Lt", ("2",)), False),
        (Requirement("a", "Gt", ("many",)), False),
        (Requirement("a", "Sounds", ("1",)), False),
    ],
)
def test_each_operator_means_what_kubernetes_says(requirement: Requirement, holds: bool) -> None:
    assert requirement.matches(LABELS) is holds


def test_no_selector_selects_nothing_and_an_empty_one_everything() -> None:
    assert from_selector(None) is None
    assert from_selector({}) == ()
    assert all_match((), LABELS)


def test_all_requirements_of_a_selector_must_hold() -> None:
    rules = from_selector({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]})
    assert rules is not None
    assert not all_match(rules, LABELS)
    assert all_match(rules, {"a": "1"})


@pytest.mark.parametrize(
    ("term", "holds"),
    [
        ({}, False),
        ({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}, True),
        ({"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}]}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        (
            {
                "matchExpressions": [{"key": "a", "operator": "Exists"}],
                "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}],
            },
            False,
        ),
    ],
)
def test_a_node_term_asks_for_labels_and_name_and_an_empty_one_for_no_node(term: dict, holds: bool) -> None:
    assert NodeTerm.of(term).matches("n1", LABELS) is holds


def test_the_nodes_that_a_pod_requires() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    spec = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}
    (term,) = required_nodes(spec) or ()
    assert (term.matches("n1", {}), term.matches("n2", {})) == (True, False)
    assert required_nodes({}) is None
