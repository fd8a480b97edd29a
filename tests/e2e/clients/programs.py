"""Client programs in several versions, as scripts/fetch_test_programs.py lays them out."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.e2e.cluster.conftest import Cluster

ROOT = Path(__file__).parents[3]
PROGRAMS = ROOT / ".venv" / "test-programs"


def program(name: str) -> Path:
    """The path of a program such as `kubectl-1.28`. Fails with the command that fetches it where it is missing."""
    path = PROGRAMS / name
    if not path.exists():
        raise AssertionError(f"{path} is missing; run: .venv/bin/python scripts/fetch_test_programs.py {PROGRAMS}")
    return path


def run(
    cluster: Cluster, name: str, *arguments: str, stdin: str | None = None, check: bool = True, seconds: float = 240
) -> subprocess.CompletedProcess[str]:
    """Run a client program against a cluster."""
    command = [str(program(name)), *arguments]
    done = subprocess.run(
        command, env=cluster.environ, input=stdin, capture_output=True, text=True, timeout=seconds, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done
