"""Pods that the apiserver reaches: proxies, a webhook and an aggregated API, all over the bus.

The image has no server with TLS, so one on this machine answers, and a pod relays each connection to it.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import time
import urllib.request
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import kubernetes.client
import kubernetes.config
import kubernetes.stream
import pytest
from tests.e2e.aggregation.extension import GROUP, PATH, VERSION, Extension, running_extension
from tests.e2e.cluster.conftest import IMAGE, Cluster, eventually

TRUSTED = "configmap/extension-apiserver-authentication"


def pod(name: str, namespace: str, command: list[str], port: int) -> dict[str, Any]:
    """A pod with a port."""
    container = {"name": "main", "image": IMAGE, "command": command, "ports": [{"containerPort": port, "name": "web"}]}
    probe = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{**container, "readinessProbe": probe}]},
    }


def service(name: str, namespace: str, port: int, target: int) -> dict[str, Any]:
    """A Service in front of the pods of its name."""
    ports = [{"name": "web", "port": port, "targetPort": target}]
    spec = {"selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def applied(cluster: Cluster, *objects: dict[str, Any]) -> None:
    """Have these objects."""
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


class Admin:
    """The administrator over HTTPS, for what kubectl cannot ask."""

    def __init__(self, cluster: Cluster) -> None:
        config = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
        user, server = config["users"][0]["user"], config["clusters"][0]["cluster"]
        self.base = server["server"]
        self.tls = ssl.create_default_context(cadata=b64decode(server["certificate-authority-data"]).decode())
        pair = cluster.home / "admin-pair.pem"
        pair.write_bytes(b64decode(user["client-certificate-data"]) + b64decode(user["client-key-data"]))
        self.tls.load_cert_chain(pair)


def test_pods_and_services_answer_through_the_apiserver(one_node: Cluster, namespace_of_one: str) -> None:
    cluster, base = one_node, f"/api/v1/namespaces/{namespace_of_one}"
    command = ["busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
    applied(cluster, pod("web", namespace_of_one, command, 8080), service("web", namespace_of_one, 80, 8080))
    cluster.kubectl("wait", "-n", namespace_of_one, "--for=condition=Ready", "pod/web", "--timeout=120s")
    raw = partial(cluster.kubectl, "get", "--raw", check=False)
    for path in ("pods/web/proxy/", "pods/http:web:8080/proxy/", "pods/web/proxy/cgi-bin/index.cgi?x=1"):
        assert raw(f"{base}/{path}").stdout == "hello from web\n", path
    for path in ("services/web:web/proxy/", "services/web:80/proxy/"):
        eventually(lambda path=path: raw(f"{base}/{path}").stdout, expected=lambda out: out == "hello from web\n")
    refused = {
        "services/web:other/proxy/": 'no endpoints available for service "web"',
        "services/web:81/proxy/": 'no service port 81 found for service "web"',
        "services/none:web/proxy/": 'endpoints "none" not found',
        "pods/none/proxy/": 'pods "none" not found',
        "pods/web:9/proxy/": "connect: connection refused",
        "pods/ftp:web:9/proxy/": 'invalid pod request "ftp:web:9"',
    }
    for path, words in refused.items():
        assert words in raw(f"{base}/{path}").stderr, path


def test_a_kubelet_answers_through_the_apiserver(one_node: Cluster, namespace_of_one: str) -> None:
    cluster, namespace = one_node, namespace_of_one
    applied(cluster, pod("web", namespace, ["busybox", "httpd", "-f", "-p", "8080", "-h", "/www"], 8080))
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/web", "--timeout=120s")
    raw = partial(cluster.kubectl, "get", "--raw", check=False)
    assert raw("/api/v1/nodes/node-1/proxy/healthz").stdout == "ok"
    listed = json.loads(raw("/api/v1/nodes/node-1/proxy/pods").stdout)
    assert namespace in [each["metadata"]["namespace"] for each in listed["items"]]
    assert "process_max_fds" in raw("/api/v1/nodes/node-1:10250/proxy/metrics").stdout
    assert "404 page not found" in raw("/api/v1/nodes/node-1/proxy/shadow").stderr
    assert 'nodes "none" not found' in raw("/api/v1/nodes/none/proxy/pods").stderr


@contextmanager
def forwarded(cluster: Cluster, *arguments: str, websocket: bool) -> Iterator[str]:
    """The address of a port that kubectl forwards."""
    environment = {**cluster.environ, "KUBECTL_PORT_FORWARD_WEBSOCKETS": str(websocket).lower()}
    command = ["kubectl", "port-forward", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline().decode()  # Forwarding from 127.0.0.1:40001 -> 8080
            yield f"http://{said.split()[2]}"
        finally:
            process.terminate()


@pytest.mark.parametrize("websocket", [True, False], ids=["WebSocket", "SPDY"])
def test_kubectl_forwards_ports_and_runs_commands(one_node: Cluster, namespace_of_one: str, websocket: bool) -> None:
    cluster, namespace = one_node, namespace_of_one
    command = ["busybox", "httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/www"]
    loopback = pod("web", namespace, command, 8080)
    del loopback["spec"]["containers"][0]["readinessProbe"]  # nobody but the pod itself reaches its loopback
    applied(cluster, loopback)
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/web", "--timeout=120s")
    with forwarded(cluster, "-n", namespace, "pod/web", ":8080", websocket=websocket) as url:
        for _ in range(3):
            with urllib.request.urlopen(f"{url}/", timeout=60) as answer:
                assert answer.read() == b"hello from web\n"
    cluster.environ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS"] = str(websocket).lower()
    try:
        execute = partial(cluster.kubectl, "exec", "-n", namespace, "-i", "web", "--", check=False)
        assert execute("busybox", "tr", "a-z", "A-Z", stdin="loud" * 10_000).stdout == "LOUD" * 10_000
        assert execute("sh", "-c", "exit 7").returncode == 7
    finally:
        del cluster.environ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS"]


def test_the_python_client_forwards_ports(one_node: Cluster, namespace_of_one: str) -> None:
    cluster, namespace = one_node, namespace_of_one
    applied(cluster, pod("web", namespace, ["busybox", "httpd", "-f", "-p", "8080", "-h", "/www"], 8080))
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/web", "--timeout=120s")
    configuration = kubernetes.config.new_client_from_config(cluster.environ["KUBECONFIG"])
    connect = kubernetes.client.CoreV1Api(configuration).connect_get_namespaced_pod_portforward
    forward = kubernetes.stream.portforward(connect, "web", namespace, ports="8080,9999")
    socket = forward.socket(8080)
    socket.settimeout(10)
    socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert socket.recv(1000).startswith(b"HTTP/1.1 200 OK")
    eventually(lambda: "connection refused" in (forward.error(9999) or ""))
    forward.close()


@pytest.fixture
def namespace_of_one(one_node: Cluster) -> str:
    """A namespace on the cluster of one node."""
    name = f"forward-{time.monotonic_ns()}"
    one_node.kubectl("create", "namespace", name)
    return name


@pytest.fixture
async def relayed(one_node: Cluster, namespace_of_one: str, tmp_path: Path) -> AsyncIterator[Extension]:
    """An extension apiserver behind a pod and a Service `metrics`."""
    cluster, namespace = one_node, namespace_of_one
    read = partial(cluster.get, "-n", "kube-system", TRUSTED)
    ca = (await asyncio.to_thread(eventually, read))["data"]["requestheader-client-ca-file"]
    route = cluster.kubectl("get", "endpoints", "kubernetes", "-o", "jsonpath={.subsets[0].addresses[0].ip}").stdout
    async with running_extension(tmp_path, ca, route, f"metrics.{namespace}.svc") as extension:
        command = ["busybox", "nc", "-ll", "-p", "8443", "-e", "busybox", "nc", route, str(extension.port)]
        objects = pod("metrics", namespace, command, 8443), service("metrics", namespace, 443, 8443)
        await asyncio.to_thread(applied, cluster, *objects)
        ready = ("wait", "-n", namespace, "--for=condition=Ready", "pod/metrics", "--timeout=120s")
        await asyncio.to_thread(cluster.kubectl, *ready)
        yield extension


async def test_an_extension_apiserver_in_a_pod_is_part_of_the_api(
    one_node: Cluster, namespace_of_one: str, relayed: Extension
) -> None:
    kubectl = partial(asyncio.to_thread, one_node.kubectl)
    spec = {"group": GROUP, "version": VERSION, "groupPriorityMinimum": 100, "versionPriority": 100}
    reference = {"namespace": namespace_of_one, "name": "metrics", "port": 443}
    apiservice = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{VERSION}.{GROUP}"},
        "spec": {**spec, "service": reference, "caBundle": relayed.bundle},
    }
    await asyncio.to_thread(applied, one_node, apiservice)
    name = f"apiservice/{VERSION}.{GROUP}"
    try:
        await kubectl("wait", "--for=condition=Available", name, "--timeout=120s")
        got = await kubectl("get", "nodes.metrics.k8s.io", "n7", "-o", "jsonpath={.usage.memory}")
        assert got.stdout == "512Mi"
        await kubectl("delete", "pod", "metrics", "-n", namespace_of_one, "--force")
        await kubectl("wait", "--for=condition=Available=False", name, "--timeout=120s")
        gone = await kubectl("get", "--raw", f"{PATH}/nodes", check=False)
        assert "currently unable to handle the request" in gone.stderr
        await kubectl("create", "namespace", f"{namespace_of_one}-x")
        await kubectl("delete", "namespace", f"{namespace_of_one}-x", "--wait=false")
        failed = "--for=condition=NamespaceDeletionDiscoveryFailure"
        await kubectl("wait", failed, f"namespace/{namespace_of_one}-x", "--timeout=120s")
    finally:
        await kubectl("delete", name)
    await kubectl("wait", "--for=delete", f"namespace/{namespace_of_one}-x", "--timeout=120s")


async def test_requests_of_all_kinds_reach_a_pod(one_node: Cluster, namespace_of_one: str, relayed: Extension) -> None:
    admin = await asyncio.to_thread(Admin, one_node)
    relayed.anybody = True
    prefix = f"/api/v1/namespaces/{namespace_of_one}/services/https:metrics:443/proxy"
    async with aiohttp.ClientSession(admin.base, connector=aiohttp.TCPConnector(ssl=admin.tls)) as session:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            headers = {"X-Mine": "yes", "Authorization": "Bearer secret"}
            async with session.request(method, f"{prefix}/a%2Fb/c?q=1", data=b"x" * 70_000, headers=headers) as answer:
                echo = (await answer.json())["echo"]
            assert (echo["method"], echo["url"], len(echo["body"])) == (method, "/a%2Fb/c?q=1", 70_000)
            said = {name.lower(): value for name, value in echo["headers"]}
            assert said["x-forwarded-uri"] == f"{prefix}/a%2Fb/c"
            assert said["x-mine"] == "yes"
            assert "authorization" not in said
        async with session.get(prefix, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (301, f"{prefix}/")
        async with session.ws_connect(f"{prefix}/socket") as socket:
            assert await socket.receive_str() == "hello"
            await socket.send_str("quietly")
            assert await socket.receive_str() == "QUIETLY"


async def test_a_webhook_in_a_pod_is_asked(one_node: Cluster, namespace_of_one: str, relayed: Extension) -> None:
    kubectl = partial(asyncio.to_thread, one_node.kubectl)
    relayed.anybody = True
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    hook = {
        "name": "relayed.example.com",
        "clientConfig": {
            "service": {"namespace": namespace_of_one, "name": "metrics", "path": "/validate"},
            "caBundle": relayed.bundle,
        },
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace_of_one}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    kind = "ValidatingWebhookConfiguration"
    group = "admissionregistration.k8s.io/v1"
    body = {"apiVersion": group, "kind": kind, "metadata": {"name": "relayed"}, "webhooks": [hook]}
    await asyncio.to_thread(applied, one_node, body)
    try:
        create = ("create", "-n", namespace_of_one, "configmap")
        refused = await kubectl(*create, "bad", "--from-literal=bad=1", check=False)
        assert "bad is bad" in refused.stderr
        await kubectl(*create, "good", "--from-literal=good=1")
    finally:
        await kubectl("delete", kind, "relayed")
