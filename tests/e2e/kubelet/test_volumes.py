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


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("$(NONE)", "missing value for NONE"),
        ("a/$(EMPTY)/$(NONE)", "missing value for EMPTY, NONE"),
        ("$(ROOT)", "error SubPath `/tmp` must not be an absolute path"),
        ("$(UP)/x", "unable to provision SubPath `../../x`: must not contain '..'"),
    ],
)
async def test_an_expression_that_is_no_path_in_its_volume_is_an_error_of_the_container(node, image, where, words):
    values = [{"name": "ROOT", "value": "/tmp"}, {"name": "UP", "value": "../.."}, {"name": "EMPTY", "value": ""}]
    mount = {"name": "v", "mountPath": "/x", "subPathExpr": where}
    pod = node.run_pod(
        "nowhere", shell(image, "ls", env=values, volumeMounts=[mount]), volumes=[{"name": "v", "emptyDir": {}}]
    )
    assert await node.waiting(pod, "CreateContainerConfigError") == words


async def test_a_directory_made_for_a_sub_path_has_the_mode_of_its_volume_and_is_writable(node, image):
    mount = {"name": "v", "mountPath": "/x", "subPathExpr": "run/$(NAME)"}
    script = "touch /x/mine && stat -c '%a %g' /all/run /all/run/me /x"
    for number, (group, shown) in enumerate([(None, "777 0"), (2000, "2777 2000")]):
        pod = node.run_pod(
            f"writer-{number}",
            shell(
                image,
                script,
                env=[{"name": "NAME", "value": "me"}],
                volumeMounts=[mount, {"name": "v", "mountPath": "/all"}],
            ),
            volumes=[{"name": "v", "emptyDir": {}}],
            securityContext={"runAsUser": 65534, **({"fsGroup": group} if group else {})},
            restartPolicy="Never",
        )
        await node.until(pod, lambda status: status["phase"] == "Succeeded")
        assert node.log(pod, "app") == f"{shown}\n" * 3


async def test_a_token_is_read_by_the_user_and_the_group_of_its_pod_only(node, image):
    token = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    mount = {"name": "t", "mountPath": "/t"}
    for number, (context, shown) in enumerate(
        [
            ({}, "644 0 0"),
            ({"runAsUser": 65534}, "600 65534 0"),
            ({"runAsUser": 65534, "fsGroup": 2000}, "640 65534 2000"),
            ({"fsGroup": 2000}, "640 0 2000"),
        ]
    ):
        script = "cat /t/token > /dev/null && stat -L -c '%a %u %g' /t/token"
        pod = node.run_pod(
            f"token-{number}",
            shell(image, script, volumeMounts=[mount]),
            volumes=[token],
            securityContext=context,
            restartPolicy="Never",
        )
        await node.until(pod, lambda status: status["phase"] == "Succeeded")
        assert node.log(pod, "app") == shown + "\n"


async def test_annotating_a_pod_makes_the_kubelet_look_at_its_volumes_at_once(node, image):
    reference = Reference("configmap", "conf")
    node.api.objects["default", reference] = {"data": {"a": "one"}}
    volumes = [
        {"name": "conf", "configMap": {"name": "conf"}},
        {"name": "late", "configMap": {"name": "later", "optional": True}},
    ]
    mounts = [{"name": "conf", "mountPath": "/conf"}, {"name": "late", "mountPath": "/late"}]
    script = "until grep -q two /conf/a && grep -q came /late/file; do sleep 0.1; done; echo seen"
    pod = node.run_pod("follows", shell(image, script, volumeMounts=mounts), volumes=volumes, restartPolicy="Never")
    await node.until(pod, lambda status: status["phase"] == "Running")
    node.api.objects["default", reference] = {"data": {"a": "two"}}
    node.api.objects["default", Reference("configmap", "later")] = {"data": {"file": "came"}}
    metadata = {**pod["metadata"], "annotations": {"looked": "1"}}
    node.parts.pods.changed({**pod, "metadata": metadata})
    await node.until(pod, lambda status: status["phase"] == "Succeeded")
    assert node.log(pod, "app") == "seen\n"
