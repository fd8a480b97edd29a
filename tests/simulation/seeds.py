"""Many seeds on all cores, each worker with the same hash seed, so that a set of strings tells no story of its own."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.story import Outcome, tell


def pool(jobs: int) -> ProcessPoolExecutor:
    """Processes that tell stories."""
    os.environ.setdefault("PYTHONHASHSEED", "0")
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def told(seeds: Iterable[int], jobs: int) -> Iterator[Outcome]:
    """The outcomes of these seeds, in their order."""
    with pool(jobs) as processes:
        yield from processes.map(tell, seeds)
