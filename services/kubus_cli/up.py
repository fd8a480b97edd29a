"""`kubus up`: start a cluster, or add nodes to one that runs."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from kubus.service import SystemClock
from kubus.service.notify import VARIABLE, Notice, decode_notice
from kubus_cli import clusters, control, kubeconfigs, leftovers, network, preparation, processes
from kubus_cli.advice import command_for, has_root
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure, MachineLacks, Misused, NotRunning
from kubus_cli.ownership import is_owner, locked, release
from kubus_cli.places import Place
from kubus_cli.preparation import DEFAULT_API_PORT
from kubus_cli.programs import find_programs
from kubus_cli.readiness import wait_until_ready
from kubus_cli.steps import Steps
from kubus_cli.stopping import stop_cluster

SUPERVISOR_SECONDS_MAX = 120.0
SUPERVISOR_LOOK_SECONDS = 0.5
END_SECONDS = 12.0


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What a cluster is to have; 0 and "" mean: as it is, or the default at first."""

    nodes: int = 0
    """At least so many."""
    port: int = 0
    """The API's, on 127.0.0.1."""
    apiservers: int = 1
    """At least so many."""
    dns: str = ""
    """The nameserver of pods."""
    domain: str = ""
    """The domain of Services' names."""
    wait: bool = True
    """Wait until every component is ready."""


def up(where: Place, options: UpOptions, environ: Mapping[str, str], steps: Steps) -> Cluster:
    """Have a cluster run. What an interrupted start has started is ended again; data stays.

    Raises:
        Failure: it cannot.
    """
    require_root(where, "up")
    find_programs(environ)
    with locked(where.home):
        cluster = clusters.load(where.home)
        if cluster is not None and is_running(cluster):
            grown = _grow(cluster, options, steps)
            begun = False
        else:
            if cluster is not None:
                _end_leftovers(cluster, steps)
            grown, begun = _start(_prepared(where, cluster, options, steps), environ, steps), True
    try:
        _settle(grown, options, environ, steps, started=begun)
    except KeyboardInterrupt:
        _stop_interrupted(grown, environ, steps, started=begun)
        raise
    return grown


def _start(prepared: Cluster, environ: Mapping[str, str], steps: Steps) -> Cluster:
    try:
        steps.done(f"certificates, configuration, network of {_count(len(prepared.nodes), 'node')}", steps.seconds)
        _start_supervisor(prepared, environ)
    except BaseException:
        steps.warn("the start failed or was interrupted; ending what it started, data stays")
        stop_cluster(prepared, environ, steps, purge=False)
        raise
    return prepared


def _stop_interrupted(cluster: Cluster, environ: Mapping[str, str], steps: Steps, *, started: bool) -> None:
    if started:
        steps.warn("interrupted; ending what was started, data stays")
        with locked(cluster.home):
            if is_owner(cluster):
                stop_cluster(cluster, environ, steps, purge=False)
    else:
        steps.warn(f"interrupted; cluster {cluster.name!r} goes on: {command_for(cluster, 'status')}")


def _prepared(where: Place, cluster: Cluster | None, options: UpOptions, steps: Steps) -> Cluster:
    with locked(clusters.RUN_ROOT):  # clusters that start at once get different numbers and ports
        if cluster is None:
            cluster = preparation.new_cluster(where, options.port).with_nodes(1)
            if cluster.ports.api != (options.port or DEFAULT_API_PORT):
                steps.warn(f"port {DEFAULT_API_PORT} is busy; the API of {where.name!r} is on port {cluster.ports.api}")
        else:
            cluster = preparation.stopped_cluster(cluster, options.port)
        cluster = cluster.with_nodes(options.nodes).with_apiservers(options.apiservers)
        cluster = cluster.with_dns(options.dns, options.domain)
        try:
            preparation.prepare(cluster)
        except BaseException:
            if is_owner(cluster):
                network.remove(cluster)
                release(cluster)
            raise
    return cluster


def require_root(where: Place, command: str, *arguments: str) -> None:
    """Namespaces, bridges and nftables are root's.

    Raises:
        MachineLacks
    """
    if not has_root():
        advice = f"sudo {command_for(where, command, *arguments)}"
        raise MachineLacks(f"kubus {command} needs root: network namespaces, nftables, Podman", advice)


def is_running(cluster: Cluster) -> bool:
    """Whether the cluster's own supervisor answers."""
    try:
        control.ask(cluster, {"do": "status"})
    except NotRunning:
        return False
    return True


def _grow(cluster: Cluster, options: UpOptions, steps: Steps) -> Cluster:
    if options.port not in (0, cluster.ports.api):
        down, again = command_for(cluster, "down"), command_for(cluster, "up", "--port", str(options.port))
        raise Misused(
            f"cluster {cluster.name!r} runs on port {cluster.ports.api}; it changes while the cluster is stopped only",
            f"{down} && {again}",
        )
    if cluster.with_dns(options.dns, options.domain) != cluster:
        again = command_for(cluster, "up", "--cluster-dns", options.dns or cluster.dns or "ADDRESS")
        raise Misused(
            f"cluster {cluster.name!r} runs; its DNS changes while it is stopped only",
            f"{command_for(cluster, 'down')} && {again}",
        )
    grown = cluster.with_nodes(options.nodes).with_apiservers(options.apiservers)
    if grown == cluster:
        steps.done(f"cluster {cluster.name!r} is running already, with {_count(len(cluster.nodes), 'node')}")
        return cluster
    with locked(cluster.run_root):
        preparation.prepare(grown)
    control.ask(grown, {"do": "reload"})
    more = _count(len(grown.nodes) - len(cluster.nodes), "node")
    steps.done(f"added {more}, {_count(grown.apiservers - cluster.apiservers, 'apiserver')}")
    return grown


def _settle(cluster: Cluster, options: UpOptions, environ: Mapping[str, str], steps: Steps, *, started: bool) -> None:
    if options.wait:
        wait_until_ready(cluster, steps, started=started)
    add_context(cluster, environ, steps)


def add_context(cluster: Cluster, environ: Mapping[str, str], steps: Steps) -> None:
    """Add the cluster to the user's kubeconfig; the cluster runs, so one that cannot be written is only a warning."""
    path = kubeconfigs.user_file(environ)
    try:
        kubeconfigs.merge_into(path, kubeconfigs.read(cluster.kubeconfig))
        kubeconfigs.give_to_caller(path, environ)
    except OSError as error:
        steps.warn(f"no kubectl context in {path}: {error.strerror}; export KUBECONFIG={cluster.kubeconfig}")
        return
    steps.done(f"kubectl context {cluster.name!r} in {path}")


def _end_leftovers(cluster: Cluster, steps: Steps) -> None:
    found = leftovers.find(cluster)
    if found:
        steps.warn(f"the supervisor had died; ending {', '.join(sorted(found))}")
        processes.end_all(found.values(), END_SECONDS)


def _start_supervisor(cluster: Cluster, environ: Mapping[str, str]) -> None:
    path = cluster.run_dir / "supervisor.notify"
    path.unlink(missing_ok=True)
    log = cluster.log_file("supervisor")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, log.open("ab") as output:
        notices.bind(str(path))
        notices.settimeout(SUPERVISOR_LOOK_SECONDS)
        process = subprocess.Popen(
            [sys.executable, "-m", "kubus_cli.supervisor", str(cluster.home)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={**environ, VARIABLE: str(path)},
            start_new_session=True,
        )
        notice = _first_notice(notices, process)
    path.unlink(missing_ok=True)
    if notice is None or not notice.ready:
        why = notice.status if notice else f"exit status {process.returncode}" if process.poll() else "no sign of life"
        raise Failure(f"the supervisor did not start: {why}", f"see: {command_for(cluster, 'logs', 'supervisor')}")


def _first_notice(notices: socket.socket, process: subprocess.Popen[bytes]) -> Notice | None:
    """What the supervisor says first; None if it ends without a word, or says nothing for minutes."""
    clock = SystemClock()
    give_up = clock.monotonic() + SUPERVISOR_SECONDS_MAX
    while clock.monotonic() < give_up:
        ended = process.poll() is not None
        with contextlib.suppress(TimeoutError):
            return decode_notice(notices.recv(4096))
        if ended:
            return None
    process.terminate()
    return None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
