"""Limits."""

from __future__ import annotations

from typing import Any

from kubus.model.limits import too_deep


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [1, value]}
    return value


def test_depth_counts_objects_and_lists() -> None:
    assert not too_deep(1, 1)
    assert not too_deep(_nested(3), 6)
    assert too_deep(_nested(3), 5)
    assert not too_deep(_nested(50))
    assert too_deep(_nested(51))


def test_depth_of_a_huge_nesting_is_found_without_recursion() -> None:
    assert too_deep(_nested(100_000))
