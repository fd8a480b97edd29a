"""The `kubernetes` Python client: what most scripts in Python are written with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream

pytestmark = pytest.mark.e2e


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(kubeconfig)) as made:
        yield made


def test_a_configmap_from_its_creation_to_its_end(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    made = core.create_namespaced_config_map(
        namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="m", labels={"a": "b"}), data={"k": "1"})
    )
    assert made.metadata.uid
    listed = core.list_namespaced_config_map(namespace, label_selector="a=b")
    assert [each.metadata.name for each in listed.items] == ["m"]
    patched = core.patch_namespaced_config_map("m", namespace, {"data": {"k": "2"}})
    assert patched.data == {"k": "2"}
    made.data = {"k": "3"}
    with pytest.raises(ApiException) as lost:
        core.replace_namespaced_config_map("m", namespace, made)
    assert lost.value.status == 409
    assert core.delete_namespaced_config_map("m", namespace)["status"] == "Success"
    with pytest.raises(ApiException) as gone:
        core.read_namespaced_config_map("m", namespace)
    assert gone.value.reason == "Not Found"


def test_a_watch_tells_of_every_change(api: client.ApiClient, namespace: str) -> None:
    core, watching = client.CoreV1Api(api), watch.Watch()
    version = core.list_namespaced_config_map(namespace).metadata.resource_version

    def change() -> None:
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="w"))
        core.create_namespaced_config_map(namespace, body)
        core.patch_namespaced_config_map("w", namespace, {"data": {"k": "v"}})
        core.delete_namespaced_config_map("w", namespace)

    thread = threading.Thread(target=change)
    thread.start()
    seen: list[Any] = []
    for event in watching.stream(
        core.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=10
    ):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 3:
            watching.stop()
    thread.join()
    assert seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]


def test_logs_and_exec(api: client.ApiClient, namespace: str, pod: str) -> None:
    core = client.CoreV1Api(api)
    assert core.read_namespaced_pod_log(pod, namespace) == "hello from the log\n"
    asked = {"stdin": False, "stdout": True, "stderr": True, "tty": False}
    said = stream(core.connect_get_namespaced_pod_exec, pod, namespace, command=["echo", "hello"], **asked)
    assert said == "hello\n"
    talk = stream(
        core.connect_get_namespaced_pod_exec,
        pod,
        namespace,
        command=["sh", "-c", "read line; echo got $line; echo bad >&2; exit 3"],
        _preload_content=False,
        **{**asked, "stdin": True},
    )
    talk.write_stdin("a line\n")
    talk.run_forever(timeout=10)
    assert (talk.read_stdout(), talk.read_stderr(), talk.returncode) == ("got a line\n", "bad\n", 3)


def test_the_dynamic_client_finds_kinds_and_applies(api: client.ApiClient, namespace: str) -> None:
    maps = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"k": "v"}}
    applied = maps.server_side_apply(body=body, namespace=namespace, field_manager="me", name="applied")
    assert applied.metadata.managedFields[0].operation == "Apply"
    assert "applied" in [each.metadata.name for each in maps.get(namespace=namespace).items]


def test_a_deployment_is_scaled(api: client.ApiClient, namespace: str, image: str) -> None:
    apps = client.AppsV1Api(api)
    labels = {"app": "d"}
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels),
        spec=client.V1PodSpec(containers=[client.V1Container(name="c", image=image)]),
    )
    spec = client.V1DeploymentSpec(replicas=0, selector=client.V1LabelSelector(match_labels=labels), template=template)
    apps.create_namespaced_deployment(namespace, client.V1Deployment(metadata=client.V1ObjectMeta(name="d"), spec=spec))
    scale = apps.patch_namespaced_deployment_scale("d", namespace, {"spec": {"replicas": 0}})
    assert (scale.spec.replicas, scale.status.selector) == (0, "app=d")
    apps.delete_namespaced_deployment("d", namespace, propagation_policy="Foreground")
