"""Which processes a cluster has, on disk: so that they are found when the supervisor has been killed.

`processes.json` in the run directory names each with its start time; the directory does not survive a reboot, as
processes do not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from kubus.model.codec import DecodeError, from_json, to_json_pretty
from kubus_cli import processes
from kubus_cli.clusters import Cluster
from kubus_cli.ownership import is_owner
from kubus_cli.private_files import write_private
from kubus_cli.processes import ProcessId

FILE = "processes.json"


def remember(run_dir: Path, pids: Mapping[str, int]) -> None:
    """Write down who runs."""
    known = {name: found for name, pid in pids.items() if pid and (found := processes.identify(pid))}
    write_private(run_dir / FILE, to_json_pretty({name: list(found) for name, found in known.items()}))


def forget(run_dir: Path) -> None:
    """Nobody runs any more."""
    (run_dir / FILE).unlink(missing_ok=True)


def find(cluster: Cluster) -> dict[str, ProcessId]:
    """A cluster's own processes that were written down and still run."""
    if not is_owner(cluster):
        return {}
    with contextlib.suppress(OSError, DecodeError, TypeError, AttributeError):
        written = from_json((cluster.run_dir / FILE).read_bytes())
        found = {name: ProcessId(*each) for name, each in written.items()}
        return {name: each for name, each in found.items() if processes.lives(each)}
    return {}
