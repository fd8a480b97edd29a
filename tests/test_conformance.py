"""docs/conformance.md says what the tests show, and nothing else."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
MADE: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "make_conformance.py"))


def groups() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = MADE["sections"](MADE["SOURCE"].read_text())
    return found


def test_every_claim_has_a_test_that_exists() -> None:
    wrong = MADE["problems"](each for behaviours in groups().values() for each in behaviours)
    assert not wrong, "\n".join(wrong)


def test_the_document_is_made_of_the_list() -> None:
    assert MADE["TARGET"].read_text() == MADE["document"](groups()), "run: python scripts/make_conformance.py"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("holds | x |", "nothing shows that it holds"),
        ("maybe | x | why", "no verdict is called maybe"),
        ("differs | x |", "why does it differ"),
        ("open | x |", "what is missing"),
    ],
)
def test_a_claim_without_what_it_needs_is_refused(line: str, problem: str) -> None:
    with pytest.raises(MADE["Problem"], match=problem):
        MADE["sections"](f"[g]\n{line}")


@pytest.mark.parametrize(
    "test",
    [
        "test_conformance.py::test_of_nothing",
        "nowhere.py::test_x",
        "e2e/conformance/test_apis.py::test_discovery_tells_of_it[none.core]",
    ],
)
def test_a_test_that_does_not_exist_is_found_out(test: str) -> None:
    (entry,) = MADE["sections"](f"[g]\nholds | x | {test}")["g"]
    assert MADE["problems"]([entry]) == [f"x: there is no {test}"]
