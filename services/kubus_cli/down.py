"""`kubus down`: end a cluster and leave nothing of it in the kernel; its data stays unless purged."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from kubus_cli import clusters, kubeconfigs, network, ownership
from kubus_cli.clusters import Cluster, Ports
from kubus_cli.failures import Failure
from kubus_cli.ownership import locked
from kubus_cli.places import Place
from kubus_cli.steps import Steps
from kubus_cli.stopping import stop_cluster
from kubus_cli.up import require_root


def down(where: Place, *, purge: bool, environ: Mapping[str, str], steps: Steps) -> None:
    """End the cluster of a home, if there is one.

    Raises:
        Failure: something is left.
    """
    require_root(where, "down")
    if not where.home.exists() and _without_home(where) is None:
        steps.done(f"there is no cluster in {where.home}")
        return
    with locked(where.home):
        cluster = clusters.load(where.home) or _without_home(where)
        if cluster is None:
            steps.done(f"there is no cluster in {where.home}")
        elif _own(cluster, steps):
            stop_cluster(cluster, environ, steps, purge=purge)
        if purge:
            _purge(where, environ, steps)


def _without_home(where: Place) -> Cluster | None:
    """A cluster that runs although its home was removed: what its claim and its network namespaces say of it."""
    for claim in ownership.claims():
        if claim.home == where.home:
            return Cluster(claim.name, claim.home, claim.number, Ports(0, 0, 0, 0), network.nodes_of(claim.number))
    return None


def _own(cluster: Cluster, steps: Steps) -> bool:
    """Own the number for as long as it takes to look for what is left; False if another cluster has it."""
    with locked(cluster.run_root):
        other = ownership.claim(cluster)
    if other is None:
        return True
    steps.done(f"cluster {cluster.name!r} is not running; cluster {other.name!r} has its networks now")
    return False


def _purge(where: Place, environ: Mapping[str, str], steps: Steps) -> None:
    _remove_tree(where.home)
    path = kubeconfigs.user_file(environ)
    kubeconfigs.remove_from(path, where.name)
    if path.exists():
        kubeconfigs.give_to_caller(path, environ)
    steps.done(f"data in {where.home} and context {where.name!r} in {path} removed", steps.seconds)


def _remove_tree(home: Path) -> None:
    try:
        shutil.rmtree(home)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Failure(f"{home} cannot be removed: {error}", "see what is mounted below it: findmnt") from None
