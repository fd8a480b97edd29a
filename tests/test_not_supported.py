"""docs/not-supported.md and the README say what `kubus.model.unsupported` lists."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

MADE: dict[str, Any] = runpy.run_path(str(Path(__file__).parent.parent / "scripts" / "make_not_supported.py"))
HOW = "run: python scripts/make_not_supported.py"


def test_the_page_is_made_of_the_list() -> None:
    assert MADE["PAGE"].read_text() == MADE["page"](), HOW


def test_the_readme_is_made_of_the_list() -> None:
    text = MADE["README"].read_text()
    assert text == MADE["readme"](text), HOW
