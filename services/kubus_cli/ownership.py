"""Which cluster owns a number of this machine, and with it all that is named after it.

A cluster's number makes its run directory, bridge, network namespaces, nft tables and address ranges. A number belongs
to a cluster from its start to the end of its `kubus down`; the claim is `owner.json` in the run directory, which a
reboot forgets as it forgets networks. A stopped cluster remembers its number but owns nothing: another one may have
taken it since. So whatever acts on a run directory or on the kernel asks here first, and what is made in the kernel
bears the owner's mark besides.

Claims are made and released under one lock for the machine, so that clusters that start at once get different numbers
and ports.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kubus.model.codec import DecodeError, from_json, to_json_pretty
from kubus_cli import clusters
from kubus_cli.clusters import RUN_ROOT, Cluster
from kubus_cli.private_files import write_private

OWNER_FILE = "owner.json"


@dataclass(frozen=True, slots=True)
class Claim:
    """A number's owner: a cluster that runs, starts or stops."""

    name: str
    home: Path
    number: int
    ports: frozenset[int]
    """On 127.0.0.1."""


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One process at a time may change what is in a directory."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def claims(run_root: Path = RUN_ROOT) -> list[Claim]:
    """All numbers that are owned, in order."""
    found: list[Claim] = []
    for directory in run_root.iterdir() if run_root.exists() else ():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, DecodeError, KeyError, TypeError, ValueError):
            number = int(directory.name.removeprefix("kubus"))
            document = from_json((directory / OWNER_FILE).read_bytes())
            ports = frozenset(int(each) for each in document["ports"])
            found.append(Claim(str(document["name"]), Path(document["home"]), number, ports))
    return sorted(found, key=lambda claim: claim.number)


def other_claims(home: Path, run_root: Path = RUN_ROOT) -> list[Claim]:
    """The claims of clusters of other homes."""
    return [each for each in claims(run_root) if each.home != home]


def owner_of(cluster: Cluster) -> Claim | None:
    """The owner of a cluster's number; None if nobody owns it."""
    return next((each for each in claims(cluster.run_root) if each.number == cluster.number), None)


def is_owner(cluster: Cluster) -> bool:
    """True if a cluster owns its number now."""
    owner = owner_of(cluster)
    return owner is not None and owner.home == cluster.home


def claim(cluster: Cluster) -> Claim | None:
    """Claim a cluster's number under the machine's lock; the other owner if there is one."""
    owner = owner_of(cluster)
    if owner is not None and owner.home != cluster.home:
        return owner
    cluster.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    ports = cluster.ports
    document = {
        "name": cluster.name,
        "home": str(cluster.home),
        "ports": [ports.api, ports.etcd, ports.etcd_peer, ports.nats],
    }
    write_private(cluster.run_dir / OWNER_FILE, to_json_pretty(document))
    return None


def release(cluster: Cluster) -> None:
    """Give a number back under the machine's lock: nothing of the cluster is left in the kernel any more."""
    if is_owner(cluster):
        shutil.rmtree(cluster.run_dir, ignore_errors=True)


def mark_of(cluster: Cluster) -> str:
    """What links, namespaces and tables of a cluster bear: short, without blanks, different for each home."""
    return f"kubus:{hashlib.blake2b(str(cluster.home).encode(), digest_size=8).hexdigest()}"


def remembered_numbers(home: Path) -> set[int]:
    """Numbers of other clusters, stopped ones too, whose homes are beside the default one: best not given out again."""
    homes = clusters.DEFAULT_HOME.parent.glob(f"{clusters.DEFAULT_HOME.name}*")
    return {each.number for each in clusters.load_all(each for each in homes if each != home)}
