"""A real cluster for the tests beside this file: etcd, nats-server, every service, Podman, unmodified kubectl.

It is started by `kubus up` as a user would, under a name and a home of its own, and taken down with everything it
has made. Tests get a namespace each, so that they may run in any order on one cluster.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.reaper import REAPER

ROOT = Path(__file__).parents[3]
KUBUS = Path(sys.executable).with_name("kubus")
IMAGE = "localhost/kubus-demo:1"
NEEDED = ("podman", "runc", "conmon", "nft", "ip", "etcd", "busybox", "kubectl")


class Cluster:
    """A cluster, its command line and its kubectl."""

    def __init__(self, home: Path, nodes: int, program: Path = KUBUS) -> None:
        self.program = str(program)
        self.home = home
        self.nodes = nodes
        self.name = f"e2e-{uuid.uuid4().hex[:6]}"
        self.environ = {**os.environ, "KUBECONFIG": str(home / "kubeconfig-of-tests"), "NO_COLOR": "1"}

    def kubus(self, *arguments: str, timeout: float = 240, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `kubus` on this cluster; the reaper takes down a cluster that no `down --purge` took down."""
        command, *rest = arguments
        named = ("--name", self.name, "--home", str(self.home))
        key = f"cluster {self.name}"
        if command in ("up", "demo"):
            REAPER.undo_later(key, [self.program, "down", *named, "--purge"], self.environ)
        done = self._run([self.program, command, *named, *rest], timeout, check)
        if not (self.home / "cluster.json").exists():  # it was never made, or purged
            REAPER.forget(key)
        return done

    def kubectl(
        self, *arguments: str, stdin: str | None = None, timeout: float = 180, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl on this cluster."""
        return self._run(["kubectl", *arguments], timeout, check, stdin)

    def get(self, *arguments: str) -> Any:
        """What `kubectl get … -o json` gives."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json").stdout)

    def status(self) -> dict[str, Any]:
        """Component → what `kubus status` says of it."""
        found = json.loads(self.kubus("status", "-o", "json", check=False).stdout)
        return {each["instance"]: each for each in found["components"]}

    def _run(
        self, command: list[str], timeout: float, check: bool, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=self.environ, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done


def eventually(
    look: Callable[[], Any], *, seconds: float = 90, what: str = "it", expected: Callable[[Any], bool] = bool
) -> Any:
    """Look until it is as expected; the last look on failure."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if expected(seen):
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about within {seconds} s; last seen: {seen!r}")
        time.sleep(0.1)


@pytest.fixture(scope="session")
def image() -> str:
    """An image that serves its pod's name over HTTP; needs no registry."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if os.geteuid() or missing:
        pytest.skip(f"a real cluster needs root and {', '.join(missing) or 'nothing else'}")
    subprocess.run([str(ROOT / "examples" / "build-image"), IMAGE], check=True, capture_output=True)
    return IMAGE


def _cluster(nodes: int, home: Path) -> Iterator[Cluster]:
    made = Cluster(home, nodes)
    try:
        made.kubus("up", "--nodes", str(nodes), timeout=240)
        made.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
        yield made
    finally:
        made.kubus("down", "--purge", check=False)


@pytest.fixture(scope="session")
def three_nodes(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of three nodes."""
    yield from _cluster(3, tmp_path_factory.mktemp("three"))


@pytest.fixture(scope="session")
def one_node(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of one node."""
    yield from _cluster(1, tmp_path_factory.mktemp("one"))


@pytest.fixture(params=["one_node", "three_nodes"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Both sizes in turn."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def _namespace(cluster: Cluster) -> Iterator[str]:
    name = f"t-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own, on the cluster at hand."""
    yield from _namespace(cluster)


@pytest.fixture
def wide_namespace(three_nodes: Cluster) -> Iterator[str]:
    """A namespace of the test's own on the cluster of three nodes."""
    yield from _namespace(three_nodes)


def deployment(name: str, replicas: int, image: str, **spec: Any) -> str:
    """A Deployment whose pods serve their name on port 8080, as JSON."""
    container = {
        "name": "web",
        "image": image,
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/cgi-bin/index.cgi", "port": 8080}, "periodSeconds": 1},
    }
    pod = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
                **spec,
            },
        }
    )
