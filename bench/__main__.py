"""`python -m bench`: run benchmarks, print each figure beside its promise, keep a full run in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bench import deployments, pods, requests, scheduling, startup, watching
from bench.figures import Figure, document, line, markdown
from bench.machine import describe
from kubus.service import logs

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
Benchmark = Callable[[bool], AsyncIterator[Figure]]
BENCHMARKS: dict[str, Benchmark] = {
    "startup": startup.startup,
    "requests": requests.requests,
    "watching": watching.watching,
    "scheduling": scheduling.scheduling,
    "deployments": deployments.deployments,
    "pods": pods.pods,
}


async def run(names: list[str], *, quick: bool, show: Callable[[Figure], None]) -> list[Figure]:
    """Run benchmarks one after the other; one that fails is told, and the others go on."""
    figures: list[Figure] = []
    me = asyncio.current_task()
    if me is not None:  # so that clusters are taken down whoever ends this
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    for name in names:
        try:
            async for figure in BENCHMARKS[name](quick):
                show(figure)
                figures.append(figure)
        except Exception as error:
            sys.stderr.write(f"{name} failed: {error!r}\n")
            traceback.print_exc()
    return figures


def main() -> int:
    """Run what the arguments ask for."""
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__)
    arguments.add_argument("--only", action="append", choices=list(BENCHMARKS), help="only this one; may be repeated")
    arguments.add_argument("--quick", action="store_true", help="smaller and shorter; the figures say less")
    arguments.add_argument("-o", "--output", choices=["text", "json"], default="text")
    chosen = arguments.parse_args()
    if os.geteuid():
        sys.stderr.write("the benchmarks start real clusters and need root: make bench\n")
        return 2
    logs.configure("warning", "text", "bench")
    as_json = chosen.output == "json"
    machine, began = describe(), time.monotonic()

    def show(figure: Figure) -> None:
        print(line(figure), file=sys.stderr if as_json else sys.stdout, flush=True)

    figures = asyncio.run(run(chosen.only or list(BENCHMARKS), quick=chosen.quick, show=show))
    machine["load after the run"] = " ".join(f"{each:.2f}" for each in os.getloadavg())
    found = document(figures, machine, time.monotonic() - began)
    if as_json:
        print(json.dumps(found, indent=2))
    if not chosen.only and not chosen.quick:
        DOCUMENT.write_text(markdown(found))
        print(f"written: {DOCUMENT}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
