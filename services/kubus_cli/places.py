"""Which cluster a command is about: from `--name` and `--home`, or KUBUS_NAME and KUBUS_HOME."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from kubus_cli import clusters
from kubus_cli.advice import command_for
from kubus_cli.clusters import DEFAULT_HOME, DEFAULT_NAME, Cluster
from kubus_cli.failures import Misused, NotRunning


class Place(NamedTuple):
    """A cluster's name (also its kubectl context) and home, whether it exists or not."""

    name: str
    home: Path


def place(name: str, home: str, environ: Mapping[str, str]) -> Place:
    """The cluster that is meant. A name alone has the home /var/lib/kubus-<name>.

    Raises:
        Misused: the name cannot be one.
    """
    name = name or environ.get("KUBUS_NAME", "")
    home = home or environ.get("KUBUS_HOME", "")
    if name and not (name.isascii() and name.replace("-", "").isalnum() and len(name) <= 40):
        raise Misused(f"{name!r} cannot be a cluster's name", "letters, digits and dashes, 40 at most")
    if home:
        path = Path(home).resolve()  # one home has one path: it tells whose a number is
        known = clusters.load(path)
        return Place(name or (known.name if known else _name_of_home(path)), path)
    return Place(name or DEFAULT_NAME, clusters.default_home(name))


def existing(where: Place) -> Cluster:
    """The cluster at a place.

    Raises:
        NotRunning: there has never been one.
    """
    cluster = clusters.load(where.home)
    if cluster is None:
        raise NotRunning(f"there is no cluster in {where.home}", f"start one: {command_for(where, 'up')}")
    return cluster


def _name_of_home(path: Path) -> str:
    if path == DEFAULT_HOME:
        return DEFAULT_NAME
    return "".join(each if each.isascii() and each.isalnum() else "-" for each in path.name).strip("-") or DEFAULT_NAME
