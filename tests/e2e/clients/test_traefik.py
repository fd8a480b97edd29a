"""Traefik, unmodified: an Ingress controller on client-go's informers serves an Ingress and writes its status."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.e2e.clients.programs import program
from tests.e2e.cluster.conftest import IMAGE, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e

ADDRESS = "192.0.2.7"
"""The address that Traefik is told to publish in the status of Ingresses; from a range for documentation."""


class Front(NamedTuple):
    """A running Traefik."""

    port: int
    log: Path

    def get(self, host: str, path: str = "/cgi-bin/index.cgi") -> tuple[int, str]:
        """Status and body of a request; (0, reason) where there is no answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, f"{error}; {self.log.read_text()[-2000:]}"


def free_port() -> int:
    """A TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def front(cluster: Cluster, tmp_path: Path) -> Iterator[Front]:
    """Traefik with the administrator's kubeconfig, beside the cluster."""
    found = Front(free_port(), tmp_path / "traefik.log")
    command = [
        program("traefik"),
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
        "--log.level=DEBUG",
        "--providers.kubernetesingress=true",
        f"--providers.kubernetesingress.ingressendpoint.ip={ADDRESS}",
        f"--entrypoints.web.address=127.0.0.1:{found.port}",
    ]
    with found.log.open("w") as log:
        process = subprocess.Popen(command, env=cluster.environ, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield found
        finally:
            process.terminate()
            process.wait(timeout=30)


def ingress(name: str, host: str, service: str) -> str:
    """An Ingress that sends a host's requests to port 80 of a Service."""
    backend = {"service": {"name": service, "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": [rule]},
    }
    return json.dumps(body)


def test_an_ingress_is_served_follows_its_pods_and_gets_a_status(
    cluster: Cluster, namespace: str, front: Front
) -> None:
    n = ("-n", namespace)
    cluster.kubectl(*n, "apply", "-f", "-", stdin=deployment("web", 2, IMAGE))
    cluster.kubectl(*n, "expose", "deployment", "web", "--port=80", "--target-port=8080")
    cluster.kubectl(*n, "rollout", "status", "deployment/web", "--timeout=120s")
    assert eventually(lambda: front.get("shop.example.com"), expected=lambda got: got[0] == 404, what="Traefik")

    cluster.kubectl(*n, "apply", "-f", "-", stdin=ingress("shop", "shop.example.com", "web"))
    _, body = eventually(
        lambda: front.get("shop.example.com"), expected=lambda got: got[0] == 200, what="an answer by the Ingress"
    )
    assert "web-" in body
    assert front.get("other.example.com")[0] == 404

    def addresses() -> list[str]:
        found = cluster.get("ingress", "shop", *n)["status"].get("loadBalancer", {}).get("ingress", [])
        return [each["ip"] for each in found]

    assert eventually(addresses, what="the Ingress' status") == [ADDRESS]

    pods = {each["metadata"]["name"] for each in cluster.get("pods", *n)["items"]}
    cluster.kubectl(*n, "rollout", "restart", "deployment/web")
    cluster.kubectl(*n, "rollout", "status", "deployment/web", "--timeout=120s")

    def answers_by_a_new_pod() -> bool:
        status, body = front.get("shop.example.com")
        return status == 200 and not any(pod in body for pod in pods)

    eventually(answers_by_a_new_pod, what="answers by the new pods only")
    cluster.kubectl(*n, "delete", "ingress", "shop")
    eventually(lambda: front.get("shop.example.com"), expected=lambda got: got[0] == 404, what="the route's end")
