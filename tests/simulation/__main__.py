"""`python -m tests.simulation`: tell the stories of many seeds on all cores, or of one with its whole log."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.simulation.seeds import told
from tests.simulation.story import Outcome, tell


def main() -> int:
    """1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--log", help="write the story of --seed to this file; - for standard output")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds) if options.seed is None else [options.seed]
    outcomes = [tell(options.seed)] if options.seed is not None else told(seeds, options.jobs)
    failed = []
    for outcome in outcomes:
        _print(_line(outcome))
        if options.log:
            text = "\n".join(outcome.lines) + "\n"
            _print(text) if options.log == "-" else Path(options.log).write_text(text)
        if outcome.broken:
            failed.append(outcome)
            _print("\n".join(f"    {each}" for each in outcome.broken[:10]))
    if failed:
        _print(f"{len(failed)} of {len(seeds)} seeds: {' '.join(str(each.seed) for each in failed)}")
    return 1 if failed else 0


def _line(outcome: Outcome) -> str:
    state = "BROKEN" if outcome.broken else f"at rest after {outcome.rest_seconds:.0f} s"
    return (
        f"seed {outcome.seed:5}  {outcome.revisions:5} revisions  {outcome.seconds:5.0f} s  {outcome.digest}  {state}"
    )


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
