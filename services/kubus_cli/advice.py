"""Commands that messages suggest: they name the cluster that the failed command was about, and sudo where it helps.

An advice is typed as it stands. So it repeats `--name` and `--home` unless they are the defaults, and it never
removes data.
"""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path
from typing import Protocol

from kubus_cli.clusters import default_home


class Named(Protocol):
    """A cluster, or the place where there may be one."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def home(self) -> Path:
        """Its home."""


def command_for(cluster: Named, command: str, *arguments: str) -> str:
    """A command line for a cluster: `kubus up --name a --home /b --port PORT`."""
    return " ".join(["kubus", command, *_options(cluster.name, cluster.home), *arguments])


def _options(name: str, home: Path) -> list[str]:
    if home == default_home(name):
        return ["--name", name] if home != default_home("") else []
    return ["--name", name, "--home", shlex.quote(str(home))]


def for_system_error(error: OSError, typed: list[str], *, root: bool) -> str:
    """What helps against an error of the operating system; `typed` is the command line that met it."""
    if error.errno in (errno.EACCES, errno.EPERM) and not root:
        return shlex.join(["sudo", "kubus", *typed])
    if error.errno == errno.EROFS:
        return "the file system is read-only: choose another directory with --home DIRECTORY"
    if error.errno == errno.ENOSPC:
        return "the disk is full: make room, see df -h"
    return ""


def has_root() -> bool:
    """True if this process may do what only root may."""
    return os.geteuid() == 0
