"""In which order groups and versions are tried."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_apiserver.documents.priorities import CUSTOM, Priority, built_in, ordered


@pytest.mark.parametrize(
    ("group", "version", "expected"),
    [
        ("", "v1", (18000, 1)),
        ("apps", "v1", (17800, 15)),
        ("autoscaling", "v2", (17500, 30)),
        ("flowcontrol.apiserver.k8s.io", "v1", (16100, 21)),
        ("networking.k8s.io", "v1beta1", (17200, 9)),
        ("storage.k8s.io", "v1alpha1", (16800, 1)),
        ("new.k8s.io", "v1", (1000, 100)),
    ],
)
def test_built_in_groups_have_kubernetes_priorities(group: str, version: str, expected: tuple[int, int]) -> None:
    assert built_in(group, version) == expected


def test_a_group_is_as_high_as_its_highest_version() -> None:
    versions = {
        ("low", "v1"): Priority(10, 1),
        ("mixed", "v1"): Priority(5, 1),
        ("mixed", "v2"): Priority(20, 1),
        ("apps", "v1"): built_in("apps", "v1"),
        ("b.example.com", "v1"): CUSTOM,
        ("a.example.com", "v1"): CUSTOM,
    }
    assert list(ordered(versions)) == ["apps", "a.example.com", "b.example.com", "mixed", "low"]


def test_versions_go_by_priority_and_then_by_age() -> None:
    given_ = {"v1beta1": 9, "v1": 15, "v2": 15, "v2alpha1": 9, "odd": 9, "v9": 1}
    assert ordered({("g", name): Priority(1, each) for name, each in given_.items()}) == {
        "g": ["v2", "v1", "v1beta1", "v2alpha1", "odd", "v9"]
    }


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["v1", "v2", "v1beta1"])),
        st.tuples(st.integers(1, 3), st.integers(1, 3)).map(lambda pair: Priority(*pair)),
    )
)
@settings(max_examples=60)
def test_every_version_is_there_once(versions: dict[tuple[str, str], Priority]) -> None:
    found = [(group, version) for group, names in ordered(versions).items() for version in names]
    assert sorted(found) == sorted(versions)
