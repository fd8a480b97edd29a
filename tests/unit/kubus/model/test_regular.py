"""Users' regular expressions."""

from __future__ import annotations

import pytest

from kubus.model.regular import is_match


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^[a-z]+$", "abc", True),
        ("b", "abc", True),
        ("^b", "abc", False),
        (r"^[[:alpha:]]\z", "a", True),
        ("é", "é", True),
    ],
)
def test_a_pattern_is_found_anywhere_unless_it_says_otherwise(pattern: str, text: str, found: bool) -> None:
    assert is_match(pattern, text) is found


def test_a_pattern_that_hangs_others_takes_no_time() -> None:
    assert not is_match("(a+)+$", "a" * 50_000 + "b")


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        is_match("(a", "a")
