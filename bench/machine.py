"""The machine and its processes as /proc shows them: what it is, who spends how much CPU, who holds how much memory."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kubus_cli.processes import pss_bytes
from kubus_cli.programs import find_programs

OTHERS = "everything else"
"""What is neither kubus nor its load: Podman's processes, the kernel, and whoever shares the machine."""
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """What a process has spent; 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def pss_megabytes(pid: int) -> float:
    """Its own memory and its share of what it shares."""
    return pss_bytes(pid) / 1e6


def busy_seconds() -> float:
    """What all processes of the machine and its kernel have spent."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, fields)
    return (user + nice + system + irq + softirq + steal) / _TICKS


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU by process over a while, in seconds."""

    seconds: float
    cpu: dict[str, float]

    @property
    def cores(self) -> dict[str, float]:
        """CPU by process as a share of a core."""
        return {name: round(each / self.seconds, 3) for name, each in self.cpu.items()}

    def of(self, *names: str) -> float:
        """What some of them have spent together."""
        return sum(self.cpu.get(name, 0.0) for name in names)


class Meter:
    """Measures from when it is made: `meter = Meter(pids)` … `meter.read()`."""

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        self._pids = pids
        self._before = {(name, pid): cpu_seconds(pid) for name, pid in pids().items()}
        self._busy = busy_seconds()
        self._began = time.monotonic()

    def read(self) -> Spent:
        """What has been spent since; who came meanwhile counts from his beginning."""
        found = {(name, pid): cpu_seconds(pid) for name, pid in self._pids().items()}
        seconds = time.monotonic() - self._began
        spent = {key[0]: round(now - self._before.get(key, 0.0), 3) for key, now in found.items()}
        spent[OTHERS] = round(max(0.0, busy_seconds() - self._busy - sum(spent.values())), 3)
        return Spent(seconds, spent)


def describe() -> dict[str, str]:
    """The machine a run was taken on."""
    programs = find_programs(os.environ)
    return {
        "taken": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cores": str(os.cpu_count()),
        "processor": _line(Path("/proc/cpuinfo"), "model name"),
        "memory": f"{int(_line(Path('/proc/meminfo'), 'MemTotal').split()[0]) / 1024**2:.0f} GiB",
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "etcd": _version(programs["etcd"], "--version"),
        "nats-server": _version(programs["nats-server"], "--version"),
        "podman": _version(programs["podman"], "--version"),
        "load before the run (1, 5, 15 minutes)": " ".join(f"{each:.2f}" for each in os.getloadavg()),
    }


def _line(path: Path, name: str) -> str:
    found = (line for line in path.read_text().splitlines() if line.startswith(name))
    return next(found, ":?").partition(":")[2].strip()


def _version(*command: str) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return said[0].split()[-1] if said else "?"
