"""The clusters that are measured: a whole one as `kubus up` starts it, or chosen processes of one without nodes.

Both have what a user's cluster has: TLS everywhere, rights on the bus, etcd with fsync. In the second kind single
services start and stop at will, so that work can be piled up before who is to do it comes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from kubus.bus import Bus
from kubus.bus.nats import connect
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.service.tls import client_tls
from kubus_cli import clusters, leftovers, network, ownership, preparation
from kubus_cli.clusters import Cluster
from kubus_cli.components import Component, components
from kubus_cli.places import Place
from kubus_cli.processes import end_all, identify
from kubus_cli.programs import find_programs

KUBUS = Path(sys.executable).with_name("kubus")
ADMIN = "kubernetes-admin"
BUS_FILES = {"ca": "bus-ca.crt", "cert": "admin-bus.crt", "key": "admin-bus.key"}
_END_SECONDS = 15.0


class Running:
    """A cluster, the administrator's ways into it, and the process ids of its parts."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def pids(self) -> dict[str, int]:
        """Component → process id."""
        return {name: each.pid for name, each in leftovers.find(self.cluster).items()}

    def tls(self) -> ssl.SSLContext:
        """As the administrator on the bus."""
        pki = self.cluster.pki_dir
        return client_tls(*(pki / file for file in BUS_FILES.values()))

    def endpoint(self) -> dict[str, Any]:
        """How a load process reaches the cluster."""
        pki, ports = self.cluster.pki_dir, self.cluster.ports
        return {
            "port": ports.api,
            "nats": ports.nats,
            "ca": str(pki / "ca.crt"),
            "cert": str(pki / "admin.crt"),
            "key": str(pki / "admin.key"),
            "bus": {name: str(pki / file) for name, file in BUS_FILES.items()},
        }

    @asynccontextmanager
    async def bus(self) -> AsyncIterator[Bus]:
        """A connection to the bus."""
        bus = await connect(f"tls://127.0.0.1:{self.cluster.ports.nats}", identity=ADMIN, tls=self.tls())
        try:
            yield bus
        finally:
            await bus.aclose()


class Plane(Running):
    """Chosen processes of a cluster; `start` and `stop` them by their names."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        found = components(cluster, find_programs(os.environ), os.environ)
        self._components = {each.instance: each for each in found}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def pids(self) -> dict[str, int]:
        """Component → process id."""
        return {name: each.pid for name, each in self._processes.items()}

    def start(self, name: str) -> None:
        """Start a component; returns at once."""
        component = self._components[name]
        with self.cluster.log_file(name).open("ab") as output:
            self._processes[name] = subprocess.Popen(
                _command(component), env=_environ(component), stdout=output, stderr=output
            )

    async def stop(self, *names: str) -> None:
        """End components, all without names, and wait for it."""
        ending = [self._processes.pop(name) for name in names or list(self._processes)]
        ids = [found for each in ending if (found := identify(each.pid))]
        await asyncio.to_thread(end_all, ids, _END_SECONDS)
        for each in ending:
            each.wait()


def _command(component: Component) -> tuple[str, ...]:
    return component.command or (sys.executable, "-m", f"kubus_{component.service}")


def _environ(component: Component) -> Mapping[str, str]:
    return {**os.environ, **component.environ, "KUBUS_LOG_LEVEL": "warning"}


@asynccontextmanager
async def plane(*names: str) -> AsyncIterator[Plane]:
    """etcd, NATS, an apiserver and a relay, and the named services beside them. No node, no Podman."""
    home = Path(tempfile.mkdtemp(prefix="kubus-bench-"))
    with ownership.locked(clusters.RUN_ROOT):
        cluster = preparation.new_cluster(Place(home.name, home), 0)
        preparation.prepare(cluster)
    made = Plane(cluster)
    try:
        for name in ("etcd", "etcd-access", "nats"):
            made.start(name)
        await _listening(cluster.ports.etcd, cluster.ports.nats)
        for name in ("apiserver", "relay", *names):
            made.start(name)
        await _listening(cluster.ports.api)
        async with made.bus() as bus:
            await until_answered(BusClient(bus, ADMIN))
        yield made
    finally:
        await made.stop()
        with ownership.locked(cluster.run_root):
            network.remove(cluster)
            ownership.release(cluster)
        shutil.rmtree(home, ignore_errors=True)


@asynccontextmanager
async def whole_cluster() -> AsyncIterator[Running]:
    """What `kubus up` starts, with one node."""
    home = Path(tempfile.mkdtemp(prefix="kubus-bench-")) / "home"
    try:
        await kubus("up", home)
        cluster = clusters.load(home)
        if cluster is None:
            raise RuntimeError("kubus up made no cluster")
        yield Running(cluster)
    finally:
        await kubus("down", home, "--purge")
        shutil.rmtree(home.parent, ignore_errors=True)


async def kubus(command: str, home: Path, *arguments: str) -> None:
    """Run the command line on a cluster of the benchmark's own."""
    process = await start_kubus(command, home, *arguments)
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"kubus {command} ended with {process.returncode}: {said.decode()[-2000:]}")


async def start_kubus(command: str, home: Path, *arguments: str) -> asyncio.subprocess.Process:
    """Begin to run the command line."""
    name = f"bench-{uuid.uuid5(uuid.NAMESPACE_URL, str(home)).hex[:6]}"
    return await asyncio.create_subprocess_exec(
        str(KUBUS),
        command,
        "--name",
        name,
        "--home",
        str(home),
        *arguments,
        env={**os.environ, "KUBECONFIG": str(home.parent / "kubeconfig")},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def until_answered(client: BusClient) -> None:
    """Wait for the API on the bus."""
    while True:
        with suppress(StatusError):
            await client.get(NAMESPACES, "", "default")
            return
        await asyncio.sleep(0.05)


async def _listening(*ports: int) -> None:
    for port in ports:
        while not await asyncio.to_thread(_answers, port):
            await asyncio.sleep(0.02)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
