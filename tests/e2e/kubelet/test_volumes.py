"""Volumes of real containers."""

from __future__ import annotations

import asyncio
import base64

import pytest

from kubus_kubelet.references import Reference

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_volumes_hold_config_maps_secrets_fields_and_follow_changes(node, image):
    node.api.objects["default", Reference("configmap", "conf")] = {"data": {"a": "one\n"}}
    node.api.objects["default", Reference("secret", "key")] = {"data": {"k": base64.b64encode(b"v").decode()}}
    pod = node.run_pod(
        "files",
        shell(
            image,
            "cat /conf/a /all/k /all/labels /one; while true; do cat /conf/a; sleep 0.1; done",
            volumeMounts=[
                {"name": "conf", "mountPath": "/conf"},
                {"name": "all", "mountPath": "/all"},
                {"name": "conf", "mountPath": "/one", "subPath": "a"},
            ],
        ),
        volumes=[
            {"name": "conf", "configMap": {"name": "conf"}},
            {
                "name": "all",
                "projected": {
                    "sources": [
                        {"secret": {"name": "key", "items": [{"key": "k", "path": "k"}]}},
                        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                    ]
                },
            },
        ],
    )
    await node.running(pod)
    await asyncio.sleep(0.3)
    assert node.log(pod, "app").startswith('one\nvapp="files"one\n')
    node.api.objects["default", Reference("configmap", "conf")] = {"data": {"a": "two\n"}}
    await node.parts.pods.workers[pod["metadata"]["uid"]].refresh_volumes()
    await asyncio.sleep(0.3)
    assert node.log(pod, "app").endswith("two\n")


async def test_a_sub_path_that_leads_out_of_its_volume_is_refused(node, image):
    first = shell(image, "ln -s / /v/out", "link", volumeMounts=[{"name": "v", "mountPath": "/v"}])
    pod = node.run_pod(
        "escape",
        shell(image, "ls /x", volumeMounts=[{"name": "v", "mountPath": "/x", "subPath": "out/etc"}]),
        initContainers=[first],
        volumes=[{"name": "v", "emptyDir": {}}],
    )
    assert "subPath" in await node.waiting(pod, "CreateContainerConfigError")
