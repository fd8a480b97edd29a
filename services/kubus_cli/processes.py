"""Processes as /proc shows them: who is who, how much memory, and how to end exactly the one that is meant.

A process id alone is no name: it is used again. With the start time (in clock ticks since boot, /proc/<pid>/stat
field 22) it is one, for as long as the machine runs; a pidfd keeps the meaning between the look and the signal.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class ProcessId(NamedTuple):
    """A process that cannot be mistaken for a later one."""

    pid: int
    start_ticks: int


def parse_start_ticks(stat: str) -> int:
    """The start time in a /proc/<pid>/stat text; the name in it may hold blanks and parentheses."""
    return int(stat.rpartition(")")[2].split()[19])


def identify(pid: int) -> ProcessId | None:
    """The process that has this id now; None where there is none (or a zombie only)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return None if stat.rpartition(")")[2].split()[0] == "Z" else ProcessId(pid, parse_start_ticks(stat))


def lives(process: ProcessId) -> bool:
    """Whether it runs."""
    return identify(process.pid) == process


def parse_pss_bytes(smaps_rollup: str) -> int:
    """The proportional set size in a smaps_rollup text."""
    for line in smaps_rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def pss_bytes(pid: int) -> int:
    """The process's own memory and its share of what it shares; 0 where that cannot be read."""
    try:
        return parse_pss_bytes(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return 0


def end_all(processes: Iterable[ProcessId], grace_seconds: float) -> list[ProcessId]:
    """SIGTERM, then SIGKILL to those that are still there; who had to be killed."""
    with contextlib.ExitStack() as stack:
        descriptors: dict[int, ProcessId] = {}
        for process in processes:
            descriptor = _open(process)
            if descriptor is not None:
                stack.callback(os.close, descriptor)
                descriptors[descriptor] = process
        _signal(descriptors, signal.SIGTERM)
        left = _wait(descriptors, grace_seconds)
        _signal(left, signal.SIGKILL)
        _wait(left, grace_seconds)
        return list(left.values())


def _open(process: ProcessId) -> int | None:
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return None
    if lives(process):
        return descriptor
    os.close(descriptor)
    return None


def _signal(descriptors: Iterable[int], number: signal.Signals) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)


def _wait(descriptors: dict[int, ProcessId], seconds: float) -> dict[int, ProcessId]:
    """Those that have not ended in time."""
    left = dict(descriptors)
    poll = select.poll()
    for descriptor in left:
        poll.register(descriptor, select.POLLIN)
    while left:
        ended = poll.poll(seconds * 1000)
        if not ended:
            break
        for descriptor, _ in ended:
            poll.unregister(descriptor)
            del left[descriptor]
    return left
