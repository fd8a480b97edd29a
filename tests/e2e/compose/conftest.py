"""The cluster of deploy/docker-compose.yml, run by podman-compose under a name, a port and a network of its own.

`--no-deps` does not leave services away: it keeps podman-compose from handing `depends_on` to Podman as `--requires`,
under which a container is not started again once a one-shot that it depends on has ended (docs/compose.md).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.compose import images
from tests.reaper import REAPER

NEEDED = ("podman", "runc", "conmon", "iptables", "mmdebstrap", "busybox", "kubectl")
AARDVARK = Path("/usr/lib/podman/aardvark-dns")
POD_IMAGE = "localhost/kubus-demo:1"
NODES = (1, 2)
SERVICES = (
    *("etcd", "nats", "apiserver", "relay", "scheduler", "controllers"),
    *(f"node-{node}" for node in NODES),
)
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=32768:32768"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
"""


class Composed:
    """A cluster of containers, and the commands that reach into it."""

    def __init__(self, home: Path) -> None:
        self.project = f"kubus-e2e-{uuid.uuid4().hex[:6]}"
        self.kubeconfig = home / "kubeconfig"
        containers_conf = home / "containers.conf"
        containers_conf.write_text(CONTAINERS_CONF)
        self.environ = {
            **os.environ,
            "CONTAINERS_CONF": str(containers_conf),
            "KUBECONFIG": str(self.kubeconfig),
            "KUBUS_PORT": str(_free_port()),
            "KUBUS_NETWORK": _free_network(),
        }

    def compose(self, *arguments: str, timeout: float = 120) -> str:
        """Run podman-compose on this cluster's project."""
        return self.run(*self.compose_command(*arguments), timeout=timeout)

    def compose_command(self, *arguments: str) -> list[str]:
        """A command line of podman-compose for this cluster's project."""
        program = str(Path(sys.executable).with_name("podman-compose"))
        file = str(images.ROOT / "deploy" / "docker-compose.yml")
        return [program, "--project-name", self.project, "--file", file, *arguments]

    def container(self, service: str) -> str:
        """The name of a service's container."""
        return f"{self.project}_{service}_1"

    def inside(self, service: str, *command: str) -> str:
        """Run a command in a service's container."""
        return self.run("podman", "exec", self.container(service), *command)

    def inspected(self, service: str, template: str) -> str:
        """What Podman says of a service's container."""
        return self.run("podman", "inspect", "--format", template, self.container(service)).strip()

    def healthy(self, service: str) -> bool:
        """Whether a service's health check passes now."""
        command = ["podman", "healthcheck", "run", self.container(service)]
        return subprocess.run(command, env=self.environ, capture_output=True, check=False).returncode == 0

    def logs(self, service: str) -> str:
        """What a service has written."""
        return self.run("podman", "logs", self.container(service))

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl on this cluster."""
        return self.run("kubectl", *arguments)

    def ready_nodes(self) -> list[str]:
        """Names of the nodes that are Ready; none while there is nobody to ask."""
        try:
            self.run("podman", "cp", f"{self.container('pki')}:/pki/kubeconfig", str(self.kubeconfig))
            nodes = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"]
        except AssertionError:
            return []
        return sorted(
            node["metadata"]["name"]
            for node in nodes
            if any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"])
        )

    def leftovers(self) -> list[str]:
        """Containers, pods, volumes and networks that bear the project's name."""
        kinds = {"ps": "{{.Names}}", "pod ps": "{{.Name}}", "volume ls": "{{.Name}}", "network ls": "{{.Name}}"}
        listed = [
            self.run("podman", *kind.split(), *(["--all"] if kind == "ps" else []), "--format", template)
            for kind, template in kinds.items()
        ]
        return [name for names in listed for name in names.split() if self.project in name]

    def run(self, *command: str, timeout: float = 180) -> str:
        """Run a command in this cluster's environment; what it wrote to stdout."""
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode:
            raise AssertionError(f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def eventually(look: Callable[[], Any], *, seconds: float = 90, what: str = "it") -> Any:
    """Look until something is seen; the last look on failure."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about within {seconds} s; last seen: {seen!r}")
        time.sleep(0.5)
    return seen


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _free_network() -> str:
    """The first three numbers of a /24 that this machine has no route to."""
    taken = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=True).stdout
    numbers = (f"10.193.{each}" for each in random.SystemRandom().sample(range(256), 256))
    return next(each for each in numbers if f"{each}." not in taken)


def _why_not() -> str:
    missing = [program for program in NEEDED if shutil.which(program) is None]
    missing += [] if AARDVARK.exists() else ["aardvark-dns"]
    return f"it needs {', '.join(missing)}" if missing else "it needs root" if os.geteuid() else ""


@pytest.fixture(scope="session")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """A cluster of two nodes that are ready, with an image for pods loaded into each."""
    if reason := _why_not():
        pytest.skip(f"no cluster of containers here: {reason}")
    cluster = Composed(tmp_path_factory.mktemp("compose"))
    try:
        image = os.environ.get("KUBUS_IMAGE") or images.built(cluster.environ)
    except images.NoBase as error:
        pytest.skip(f"no base image: {error}")
    cluster.environ["KUBUS_IMAGE"] = image
    cluster.run(str(images.ROOT / "examples" / "build-image"), POD_IMAGE)
    down = ("--profile", "tap", "down", "--volumes", "--timeout", "3")
    REAPER.undo_later(f"project {cluster.project}", cluster.compose_command(*down), cluster.environ)
    try:
        cluster.compose("up", "--detach", "--no-build", "--no-deps")
        eventually(lambda: cluster.ready_nodes() == ["node-1", "node-2"], seconds=120, what="two ready nodes")
        _load(cluster)
        yield cluster
    finally:
        cluster.compose(*down)
    assert not cluster.leftovers()
    REAPER.forget(f"project {cluster.project}")


def _load(cluster: Composed) -> None:
    archive = cluster.kubeconfig.with_name("image.tar")
    cluster.run("podman", "save", "--output", str(archive), POD_IMAGE)
    for node in NODES:
        cluster.run("podman", "cp", str(archive), f"{cluster.container(f'node-{node}')}:/tmp/image.tar")
        cluster.inside(f"node-{node}", "podman", "load", "--quiet", "--input", "/tmp/image.tar")
