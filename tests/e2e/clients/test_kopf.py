"""A `kopf` operator with a CustomResourceDefinition: it sees objects come, change and go, and writes their status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.cluster.conftest import Cluster, eventually

pytestmark = pytest.mark.e2e

OPERATOR = """
import kopf

@kopf.on.create("example.org", "v1", "greetings")
@kopf.on.update("example.org", "v1", "greetings")
def greet(spec, name, namespace, **_):
    kopf.event({"apiVersion": "example.org/v1", "kind": "Greeting",
                "metadata": {"name": name, "namespace": namespace}}, type="Normal", reason="Greeted", message="hi")
    return {"said": f"hello {spec['who']}"}

@kopf.on.delete("example.org", "v1", "greetings")
def leave(name, **_):
    print(f"goodbye {name}", flush=True)
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "greetings.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"plural": "greetings", "singular": "greeting", "kind": "Greeting"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": SCHEMA},
                "subresources": {"status": {}},
            }
        ],
    },
}


def _greeting(who: str) -> str:
    greeting = {"apiVersion": "example.org/v1", "kind": "Greeting", "metadata": {"name": "g"}, "spec": {"who": who}}
    return json.dumps(greeting)


def test_an_operator_greets_and_says_goodbye(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    n = ("-n", namespace)
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(DEFINITION))
    cluster.kubectl("wait", "--for=condition=Established", "crd/greetings.example.org", "--timeout=120s")
    (tmp_path / "operator.py").write_text(OPERATOR)
    command = [sys.executable, "-m", "kopf", "run", "--namespace", namespace, str(tmp_path / "operator.py")]
    with (tmp_path / "log").open("w") as log:
        operator = subprocess.Popen(command, env=cluster.environ, stdout=log, stderr=log)
    try:
        cluster.kubectl(*n, "apply", "-f", "-", stdin=_greeting("world"))
        _said(cluster, namespace, "hello world")
        cluster.kubectl(*n, "apply", "-f", "-", stdin=_greeting("moon"))
        _said(cluster, namespace, "hello moon")
        cluster.kubectl(*n, "delete", "greeting", "g", "--timeout=120s")
        eventually(lambda: "goodbye g" in (tmp_path / "log").read_text(), what="the goodbye")
        reasons = {each["reason"] for each in cluster.get("events", *n)["items"]}
        assert "Greeted" in reasons
    except BaseException:
        sys.stderr.write((tmp_path / "log").read_text())
        raise
    finally:
        operator.terminate()
        operator.wait(20)
        cluster.kubectl("delete", "crd", "greetings.example.org", "--wait=false")


def _said(cluster: Cluster, namespace: str, words: str) -> None:
    eventually(
        lambda: cluster.get("greetings", "-n", namespace)["items"][0].get("status", {}).get("greet", {}).get("said"),
        what=words,
        expected=lambda said: said == words,
    )
