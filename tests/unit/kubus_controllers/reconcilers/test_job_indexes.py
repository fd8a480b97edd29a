"""Completion indexes as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_controllers.reconcilers.job_indexes import INDEX, format_indexes, index_of, parse_indexes


@pytest.mark.parametrize(
    ("indexes", "text"),
    [(set(), ""), ({3}, "3"), ({1, 2}, "1-2"), ({0, 1, 2, 5, 7, 8}, "0-2,5,7-8")],
)
def test_neighbours_are_written_as_a_range(indexes: set[int], text: str) -> None:
    assert format_indexes(indexes) == text


@pytest.mark.parametrize(
    ("text", "below", "indexes"),
    [(None, 9, set()), ("0-2,5", 9, {0, 1, 2, 5}), ("0-5", 3, {0, 1, 2}), ("7", 3, set()), ("x,1-y,2", 9, {2})],
)
def test_what_is_beyond_the_completions_or_no_number_is_left_out(
    text: str | None, below: int, indexes: set[int]
) -> None:
    assert parse_indexes(text, below) == indexes


@given(st.frozensets(st.integers(0, 200)))
def test_a_text_means_the_indexes_it_was_made_of(indexes: frozenset[int]) -> None:
    assert parse_indexes(format_indexes(indexes), 201) == indexes


def test_a_pods_index_is_in_its_annotation_or_label() -> None:
    assert index_of({"metadata": {"annotations": {INDEX: "7"}}}) == 7
    assert index_of({"metadata": {"labels": {INDEX: "7"}}}) == 7
    assert index_of({"metadata": {"annotations": {INDEX: "-1"}}}) is None
    assert index_of({"metadata": {}}) is None
