"""Ending a cluster that owns its number: processes, containers, network; then the number is given back.

It does not depend on the supervisor being there: what processes there are is written down, and everything in the
kernel bears the cluster's mark.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from kubus_cli import control, leftovers, network, ownership, processes
from kubus_cli.advice import command_for
from kubus_cli.clusters import Cluster
from kubus_cli.components import kubelet_environment
from kubus_cli.failures import Failure, NotRunning
from kubus_cli.steps import Steps

STOP_SECONDS_MAX = 90.0
END_SECONDS = 12.0


def stop_cluster(cluster: Cluster, environ: Mapping[str, str], steps: Steps, *, purge: bool) -> None:
    """End everything of a cluster that owns its number; with `purge` its nodes' data goes too.

    Raises:
        Failure: something is left.
    """
    steps.waiting("processes")
    killed = end_processes(cluster)
    steps.done("processes", steps.seconds)
    if killed:
        steps.warn(f"had to be killed: {', '.join(killed)}")
    steps.waiting("containers")
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda node: clean_node(cluster, node, environ, purge=purge), cluster.nodes))
    left = [each for each in found if each]
    steps.done("containers", steps.seconds)
    with ownership.locked(cluster.run_root):
        network.remove(cluster)
        ownership.release(cluster)
    steps.done("network", steps.seconds)
    if left:
        raise Failure(f"containers are left: {'; '.join(left)}", f"try again: {command_for(cluster, 'down')}")


def end_processes(cluster: Cluster) -> list[str]:
    """End all processes: in order by the supervisor, by force where there is none. Who did not end when told to."""
    killed: list[str] = []
    try:
        killed += control.ask(cluster, {"do": "stop"}, timeout_seconds=STOP_SECONDS_MAX).get("killed", [])
    except NotRunning:
        pass
    except Failure:
        supervisor = leftovers.find(cluster).get("supervisor")
        if supervisor is not None:
            processes.end_all([supervisor], END_SECONDS)
    left = leftovers.find(cluster)
    forced = processes.end_all(left.values(), END_SECONDS)
    return killed + [name for name, process in left.items() if process in forced]


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
