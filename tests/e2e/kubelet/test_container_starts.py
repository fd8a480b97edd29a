"""Containers brought up, and what is said when they cannot be."""

from __future__ import annotations

import base64

import pytest

from kubus_kubelet.references import Reference

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_a_command_that_is_not_there_is_said_so(node, image):
    pod = node.run_pod("typo", {"name": "app", "image": image, "command": ["/bin/nothing"]}, restartPolicy="Never")
    status = await node.until(pod, lambda status: status["phase"] == "Failed")
    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert 'exec: "/bin/nothing": stat /bin/nothing: no such file or directory' in ended["message"]


async def test_an_image_that_is_nowhere_backs_off(node, image):
    pod = node.run_pod("lost", {"name": "app", "image": "127.0.0.1:1/nothing:1"})
    assert "connection refused" in await node.waiting(pod, "ErrImagePull")
    status = await node.until(
        pod, lambda status: status["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
    )
    assert status["phase"] == "Pending"
    never = node.run_pod("never", {"name": "app", "image": "nothing:1", "imagePullPolicy": "Never"})
    await node.waiting(never, "ErrImageNeverPull")
    wrong = node.run_pod("wrong", {"name": "app", "image": "Not An Image"})
    await node.waiting(wrong, "InvalidImageName")


async def test_environment_comes_from_fields_config_maps_and_secrets(node, image):
    node.api.objects["default", Reference("configmap", "settings")] = {"data": {"COLOR": "blue", "size": "9"}}
    node.api.objects["default", Reference("secret", "key")] = {"data": {"token": base64.b64encode(b"s3cret").decode()}}
    field = {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    limit = {"valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}}
    pod = node.run_pod(
        "env",
        shell(
            image,
            "echo $COLOR $T $IP $CPU $MSG $KUBERNETES_SERVICE_HOST",
            env=[
                {"name": "T", "valueFrom": {"secretKeyRef": {"name": "key", "key": "token"}}},
                {"name": "IP", **field},
                {"name": "CPU", **limit},
                {"name": "MSG", "value": "[$(T)$(NONE)$$(T)]"},
            ],
            envFrom=[{"configMapRef": {"name": "settings"}}],
            resources={"limits": {"cpu": "500m"}},
        ),
        restartPolicy="Never",
    )
    status = await node.until(pod, lambda status: status["phase"] == "Succeeded")
    assert node.log(pod, "app") == f"blue s3cret {status['podIP']} 500 [s3cret$(NONE)$(T)] 10.96.0.1\n"


async def test_a_missing_config_map_holds_the_container_until_it_comes(node, image):
    pod = node.run_pod("waits", shell(image, "exec sleep 9", envFrom=[{"configMapRef": {"name": "later"}}]))
    assert await node.waiting(pod, "CreateContainerConfigError") == 'configmap "later" not found'
    node.api.objects["default", Reference("configmap", "later")] = {"data": {}}
    await node.running(pod, seconds=20)


async def test_security_contexts_hold(node, image):
    context = {
        "runAsUser": 65534,
        "runAsGroup": 65534,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    script = "id -u; touch /x 2>/dev/null || echo read-only; grep CapEff /proc/self/status"
    pod = node.run_pod("safe", shell(image, script, securityContext=context), restartPolicy="Never")
    await node.until(pod, lambda status: status["phase"] == "Succeeded")
    assert node.log(pod, "app").split() == ["65534", "read-only", "CapEff:", "0000000000000000"]
    root = node.run_pod("root", shell(image, "id", securityContext={"runAsNonRoot": True}), restartPolicy="Never")
    status = await node.until(
        root,
        lambda status: status["containerStatuses"][0]["state"]["waiting"]["reason"] == "CreateContainerConfigError",
    )
    message = status["containerStatuses"][0]["state"]["waiting"]["message"]
    assert message == "container has runAsNonRoot and image will run as root"
