"""`kubus up`: start a cluster, or add nodes to one that runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubus.service.notify import VARIABLE, decode_notice
from kubus_cli import clusters, control, kubeconfigs, leftovers, preparation, processes
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure, MachineLacks, NotRunning
from kubus_cli.places import Place
from kubus_cli.preparation import DEFAULT_API_PORT
from kubus_cli.programs import find_programs
from kubus_cli.steps import Steps

SUPERVISOR_SECONDS_MAX = 15.0
READY_SECONDS_MAX = 90.0


def up(
    where: Place,
    *,
    nodes: int,
    port: int,
    wait: bool,
    environ: Mapping[str, str],
    steps: Steps,
    apiservers: int = 1,
) -> Cluster:
    """Have a cluster run with at least so many nodes (0: as many as it has, 1 at first) and apiservers.

    Raises:
        Failure: it cannot.
    """
    require_root()
    find_programs(environ)
    with locked(where.home):
        cluster = clusters.load(where.home)
        if cluster is not None and is_running(cluster):
            return _grow(cluster, cluster.with_nodes(nodes).with_apiservers(apiservers), wait, steps)
        if cluster is not None:
            _end_leftovers(cluster, steps)
        cluster = _prepared(where, cluster, nodes, port, apiservers)
        steps.done(f"certificates, configuration, network of {_count(len(cluster.nodes), 'node')}", steps.seconds)
        _start_supervisor(cluster, environ)
    _settle(cluster, wait, environ, steps)
    return cluster


def _prepared(where: Place, cluster: Cluster | None, nodes: int, port: int, apiservers: int) -> Cluster:
    with locked(clusters.RUN_ROOT):  # two clusters that start at once choose different numbers and ports
        if cluster is None:
            cluster = preparation.new_cluster(where, port or DEFAULT_API_PORT, port_given=bool(port))
        else:
            cluster = preparation.checked(cluster)
        cluster = cluster.with_nodes(max(nodes, 1)).with_apiservers(apiservers)
        preparation.prepare(cluster)
    return cluster


def require_root() -> None:
    """Namespaces, bridges and nftables are root's.

    Raises:
        MachineLacks
    """
    if os.geteuid() != 0:
        raise MachineLacks("kubus up and down need root: network namespaces, nftables, Podman", "sudo kubus up")


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One who changes what is in a directory at a time."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_running(cluster: Cluster) -> bool:
    """Whether the supervisor answers."""
    try:
        control.ask(cluster.run_dir, {"do": "status"})
    except NotRunning:
        return False
    return True


def _grow(cluster: Cluster, grown: Cluster, wait: bool, steps: Steps) -> Cluster:
    if grown == cluster:
        steps.done(f"cluster {cluster.name!r} is running already, with {_count(len(cluster.nodes), 'node')}")
    else:
        preparation.prepare(grown)
        control.ask(grown.run_dir, {"do": "reload"})
        more = _count(len(grown.nodes) - len(cluster.nodes), "node")
        steps.done(f"added {more}, {_count(grown.apiservers - cluster.apiservers, 'apiserver')}")
    _settle(grown, wait, os.environ, steps)
    return grown


def _settle(cluster: Cluster, wait: bool, environ: Mapping[str, str], steps: Steps) -> None:
    if wait:
        wait_until_ready(cluster, steps)
    path = kubeconfigs.user_file(environ)
    kubeconfigs.merge_into(path, kubeconfigs.read(cluster.kubeconfig))
    kubeconfigs.give_to_caller(path, environ)
    steps.done(f"kubectl context {cluster.name!r} in {path}")


def _end_leftovers(cluster: Cluster, steps: Steps) -> None:
    found = leftovers.find(cluster.run_dir)
    if found:
        steps.warn(f"the supervisor had died; ending {', '.join(sorted(found))}")
        processes.end_all(found.values(), SUPERVISOR_SECONDS_MAX)


def _start_supervisor(cluster: Cluster, environ: Mapping[str, str]) -> None:
    path = cluster.run_dir / "supervisor.notify"
    path.unlink(missing_ok=True)
    log = cluster.log_file("supervisor")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, log.open("ab") as output:
        notices.bind(str(path))
        notices.settimeout(SUPERVISOR_SECONDS_MAX)
        subprocess.Popen(
            [sys.executable, "-m", "kubus_cli.supervisor", str(cluster.home)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={**environ, VARIABLE: str(path)},
            start_new_session=True,
        )
        try:
            notice = decode_notice(notices.recv(4096))
        except TimeoutError:
            notice = None
    path.unlink(missing_ok=True)
    if notice is None or not notice.ready:
        raise Failure(f"the supervisor did not start: {notice.status if notice else 'no sign of life'}", f"see {log}")


def wait_until_ready(cluster: Cluster, steps: Steps) -> None:
    """Show each instance as it becomes ready, until all are.

    Raises:
        Failure: some are not in time, or never will be.
    """
    told: set[str] = set()
    status: dict[str, Any] = {"instances": []}
    try:
        for status in control.stream(cluster.run_dir, {"do": "watch"}, timeout_seconds=READY_SECONDS_MAX):
            _tell(status, told, steps)
            left = [each for each in status["instances"] if not each["ready"] and not each["hopeless"]]
            if not left:
                break
            if steps.seconds > READY_SECONDS_MAX or any(each["restarts"] > 5 for each in left):
                raise Failure("not every component became ready")
            steps.waiting(", ".join(each["instance"] for each in left))
    except Failure as failure:
        raise _not_ready(cluster, status, failure) from None
    if any(not each["ready"] for each in status["instances"]):
        raise _not_ready(cluster, status, Failure("not every component became ready"))
    steps.done(f"cluster {cluster.name!r} is ready: https://127.0.0.1:{cluster.ports.api}", steps.seconds)


def _tell(status: dict[str, Any], told: set[str], steps: Steps) -> None:
    for each in status["instances"]:
        name = each["instance"]
        if name in told:
            continue
        if each["ready"]:
            told.add(name)
            steps.done(name, each["readySeconds"])
        elif each["state"] in ("failed", "absent"):
            told.add(name)
            steps.failed(f"{name}: {'cannot be loaded' if each['state'] == 'absent' else each['reason']}")


def _not_ready(cluster: Cluster, status: dict[str, Any], failure: Failure) -> Failure:
    bad = [each for each in status["instances"] if not each["ready"]]
    shown = ", ".join(f"{each['instance']} ({each['state']}{_because(each['reason'])})" for each in bad)
    first = bad[0]["instance"] if bad else "supervisor"
    return Failure(f"{failure.message}: {shown}", f"see {cluster.log_file(first)}, or: kubus logs {first}")


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
