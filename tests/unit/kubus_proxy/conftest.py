"""Parts of the proxy's tests: a kernel that refuses what a test says, and ears for Events."""

from __future__ import annotations

import pytest

from kubus.model.objects import Object, name_of


class Ears:
    """Hears what owners of objects are told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.words: list[str] = []

    def __call__(self, about: Object, reason: str, message: str) -> None:
        self.heard.append((name_of(about), reason))
        self.words.append(message)


@pytest.fixture
def ears() -> Ears:
    return Ears()
