"""Custom resources in a whole cluster: on the bus, with owners, and in namespaces that go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubus.bus.subjects import event_subject
from kubus.model.objects import Key

from .conftest import Cluster, eventually

pytestmark = pytest.mark.e2e

SCHEMA = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definition(kind: str) -> str:
    """A namespaced kind of one version."""
    plural = f"{kind.lower()}s"
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}
    spec = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": kind},
        "versions": [version],
    }
    metadata = {"name": f"{plural}.example.com"}
    return json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": spec,
        }
    )


def thing(kind: str, name: str, namespace: str) -> str:
    """An object of a kind."""
    metadata = {"name": name, "namespace": namespace}
    return json.dumps({"apiVersion": "example.com/v1", "kind": kind, "metadata": metadata, "spec": {"x": 1}})


def owned(owner: dict[str, Any]) -> str:
    """A ConfigMap that belongs to an object."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    metadata = {"name": "owned", "namespace": owner["metadata"]["namespace"], "ownerReferences": [reference]}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


def there(cluster: Cluster, *what: str) -> bool:
    """Whether kubectl finds it."""
    return cluster.kubectl("get", *what, check=False).returncode == 0


@pytest.fixture
def define(one_node: Cluster) -> Any:
    """Makes a kind and waits until it is served."""

    def made(kind: str) -> None:
        one_node.kubectl("create", "-f", "-", stdin=definition(kind))
        one_node.kubectl("wait", "--for=condition=Established", f"crd/{kind.lower()}s.example.com")

    return made


@pytest.mark.parametrize("cluster", ["one_node"], indirect=True)
def test_what_belongs_to_a_custom_object_goes_with_it(cluster: Cluster, namespace: str, define: Any) -> None:
    define("Owner")
    cluster.kubectl("create", "-f", "-", stdin=thing("Owner", "o", namespace))
    cluster.kubectl("create", "-f", "-", stdin=owned(cluster.get("owner", "o", "-n", namespace)))
    cluster.kubectl("delete", "owner", "o", "-n", namespace)
    eventually(lambda: not there(cluster, "configmap", "owned", "-n", namespace), what="the end of what is owned")


@pytest.mark.parametrize("cluster", ["one_node"], indirect=True)
def test_a_namespace_takes_its_custom_objects_along(cluster: Cluster, define: Any) -> None:
    define("Tenant")
    cluster.kubectl("create", "namespace", "leaving")
    cluster.kubectl("create", "-f", "-", stdin=thing("Tenant", "t", "leaving"))
    cluster.kubectl("delete", "namespace", "leaving", "--timeout=120s")
    assert cluster.get("tenants", "-A")["items"] == []


@pytest.mark.parametrize("cluster", ["one_node"], indirect=True)
def test_custom_objects_are_on_the_bus(cluster: Cluster, namespace: str, define: Any) -> None:
    define("Signal")
    before = int(cluster.get("namespace", namespace)["metadata"]["resourceVersion"])
    cluster.kubectl("create", "-f", "-", stdin=thing("Signal", "s", namespace))

    subject = event_subject(Key("signals.example.com", namespace, "s"))
    done = cluster.kubus("tap", subject, "--since", str(before), "--count", "1", "-o", "json", timeout=20)
    event = json.loads(done.stdout.splitlines()[0])
    assert (event["object"]["kind"], event["change"]) == ("Signal", "added")
