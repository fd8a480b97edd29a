"""Which seeds the tests run, and the pool of processes that tells their stories."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from tests.simulation.seeds import pool

SEEDS_IN_A_TEST_RUN = 30
"""About a minute on two slow cores."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/simulation --seed 17`; KUBUS_SEED=17 does the same for the whole suite."""
    parser.addoption("--seed", type=int, help="tell the story of this seed only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a seed."""
    if "seed" not in metafunc.fixturenames:
        return
    one = metafunc.config.getoption("--seed", default=None) or os.environ.get("KUBUS_SEED")
    seeds = [int(one)] if one is not None else range(SEEDS_IN_A_TEST_RUN)
    metafunc.parametrize("seed", seeds)


@pytest.fixture(scope="session")
def storytellers() -> Iterator[ProcessPoolExecutor]:
    """A process for each core."""
    with pool(os.cpu_count() or 1) as processes:
        yield processes
