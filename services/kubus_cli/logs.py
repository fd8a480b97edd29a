"""`kubus logs`: the end of a component's log, and what comes."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from kubus_cli.clusters import Cluster
from kubus_cli.failures import Misused

LOOK_SECONDS = 0.2  # a file has no news of itself that needs no watch of the whole directory


def log_of(cluster: Cluster, component: str) -> Path:
    """The log of a component.

    Raises:
        Misused: there is none of that name.
    """
    path = cluster.log_file(component)
    if "/" in component or not path.exists():
        there = ", ".join(sorted(each.stem for each in cluster.log_dir.glob("*.log")))
        raise Misused(f"there is no log of {component!r}", f"there are: {there or 'none'}")
    return path


def show(path: Path, lines: int, *, follow: bool, write: Callable[[str], None]) -> None:
    """Write the last lines of a file, and go on for ever if told to."""
    with path.open("rb") as file:
        write("".join(collections.deque((_text(line) for line in file), maxlen=lines)))
        while follow:
            if not _copy(file, write):
                time.sleep(LOOK_SECONDS)


def _copy(file: BinaryIO, write: Callable[[str], None]) -> bool:
    data = file.read(65536)
    if data:
        write(_text(data))
    return bool(data)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
