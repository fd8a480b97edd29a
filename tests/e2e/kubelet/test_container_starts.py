"""Containers brought up, and what is said when they cannot be."""

from __future__ import annotations

import base64

import pytest

from kubus_kubelet.environments import DEFAULT_PATH
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
    await node.running(pod)


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
    assert message.startswith('container has runAsNonRoot and image will run as root (pod: "root_default(')


USERS = {"/etc/passwd": "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n", "/etc/group": "staff:x:50:app\n"}


@pytest.mark.parametrize(
    ("user", "whole", "own", "expected"),
    [
        ("app", {}, {"runAsGroup": 7}, "1000 7 7"),
        ("1000", {"runAsGroup": 7, "supplementalGroups": [8], "fsGroup": 9}, {}, "1000 7 7,8,9"),
        ("app", {}, {}, "1000 1001 50,1001"),
        ("", {}, {"runAsGroup": 7}, "0 7 7"),
        ("app", {"supplementalGroups": [8]}, {"runAsUser": 5}, "5 0 0,8"),
    ],
)
async def test_a_container_has_the_user_of_its_image_and_the_groups_of_both(
    node, image, variant, user, whole, own, expected
):
    made = variant(image, f"user-{user or 'none'}", *([f"USER {user}"] if user else []), files=USERS)
    script = "echo $(id -u) $(id -g) $(id -G | tr ' ' '\\n' | sort -nu | paste -sd , -)"
    pod = node.run_pod("who", shell(made, script, securityContext=own), securityContext=whole, restartPolicy="Never")
    await node.until(pod, lambda status: status["phase"] == "Succeeded")
    assert node.log(pod, "app").strip() == expected


async def test_a_process_has_a_path_and_a_terminal_type_only_where_it_has_a_terminal(node, image):
    async def variables(name, **more):
        container = {"name": "app", "image": image, "command": ["env"], **more}
        pod = node.run_pod(name, container, restartPolicy="Never", hostname="here")
        await node.until(pod, lambda status: status["phase"] == "Succeeded")
        pairs = (line.partition("=") for line in node.log(pod, "app").split())
        return {key: value for key, _, value in pairs if not key.startswith("KUBERNETES_")}

    plain = {"PATH": DEFAULT_PATH, "HOSTNAME": "here", "HOME": "/"}
    assert await variables("plain") == plain
    assert await variables("terminal", tty=True) == {**plain, "TERM": "xterm"}
