"""Every seed is a story in which all promises are kept; see `tests.simulation`."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor

import pytest
from tests.simulation.story import Outcome, tell

_told: dict[int, Future[Outcome]] = {}


@pytest.fixture
def outcome(seed: int, request: pytest.FixtureRequest, storytellers: ProcessPoolExecutor) -> Outcome:
    """The outcome of a seed. All seeds of the run are begun with the first one, so that no core is idle."""
    if not _told:
        for item in request.session.items:
            callspec = getattr(item, "callspec", None)
            if callspec is not None and "seed" in callspec.params and item.path == request.path:
                each = callspec.params["seed"]
                _told.setdefault(each, storytellers.submit(tell, each))
    return _told[seed].result()


@pytest.mark.timeout(300)
def test_the_promises_are_kept(outcome: Outcome) -> None:
    assert not outcome.broken, outcome.report()


@pytest.mark.timeout(300)
def test_a_seed_tells_the_same_story_again(storytellers: ProcessPoolExecutor) -> None:
    first, second = storytellers.submit(tell, 1), storytellers.submit(tell, 1)
    assert first.result().lines == second.result().lines
