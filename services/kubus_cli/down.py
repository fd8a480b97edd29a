"""`kubus down`: end a cluster and leave nothing of it in the kernel; its data stays unless purged.

It does not depend on the supervisor being there: what processes there are is written down, and everything in the
kernel bears the cluster's tag.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubus_cli import clusters, control, kubeconfigs, leftovers, network, processes
from kubus_cli.clusters import Cluster
from kubus_cli.components import kubelet_environment
from kubus_cli.failures import Failure, NotRunning
from kubus_cli.places import Place
from kubus_cli.steps import Steps
from kubus_cli.up import locked, require_root

STOP_SECONDS_MAX = 90.0
END_SECONDS = 12.0


def down(where: Place, *, purge: bool, environ: Mapping[str, str], steps: Steps) -> None:
    """End the cluster of a home, if there is one.

    Raises:
        Failure: something is left.
    """
    require_root()
    if not where.home.exists():
        steps.done(f"there is no cluster in {where.home}")
        return
    with locked(where.home):
        cluster = clusters.load(where.home)
        if cluster is None:
            steps.done(f"there is no cluster in {where.home}")
        else:
            _end(cluster, environ, steps, purge=purge)
        if purge:
            _purge(where, environ, steps)


def _end(cluster: Cluster, environ: Mapping[str, str], steps: Steps, *, purge: bool) -> None:
    steps.waiting("processes")
    end_processes(cluster)
    steps.done("processes", steps.seconds)
    steps.waiting("containers")
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda node: clean_node(cluster, node, environ, purge=purge), cluster.nodes))
    left = [each for each in found if each]
    steps.done("containers", steps.seconds)
    network.remove(cluster)
    shutil.rmtree(cluster.run_dir, ignore_errors=True)
    steps.done("network", steps.seconds)
    if left:
        raise Failure(f"containers are left: {'; '.join(left)}", "try again: kubus down")


def end_processes(cluster: Cluster) -> None:
    """End all processes: in order by the supervisor; by force where there is none."""
    try:
        control.ask(cluster.run_dir, {"do": "stop"}, timeout_seconds=STOP_SECONDS_MAX)
    except NotRunning:
        pass
    except Failure:
        _end_supervisor(cluster)
    processes.end_all(leftovers.find(cluster.run_dir).values(), END_SECONDS)


def _end_supervisor(cluster: Cluster) -> None:
    supervisor = leftovers.find(cluster.run_dir).get("supervisor")
    if supervisor is not None:
        processes.end_all([supervisor], END_SECONDS)


def clean_node(cluster: Cluster, node: str, environ: Mapping[str, str], *, purge: bool) -> str:
    """Remove a node's containers, their networks and mounts; what went wrong, or ""."""
    done = subprocess.run(
        [sys.executable, "-m", "kubus_kubelet.cleanup"],
        env={**environ, **kubelet_environment(cluster, node), "KUBUS_PURGE": str(purge).lower()},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return f"{node}: {said[-1]}" if done.returncode else ""


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
        raise Failure(f"{home} cannot be removed: {error}") from None
