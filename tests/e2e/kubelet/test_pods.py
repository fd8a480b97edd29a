"""Pods on a real node: Podman, namespaces, files."""

from __future__ import annotations

import asyncio
import base64

import pytest

from kubus_kubelet.references import Reference

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_a_pod_runs_and_goes(node, image):
    pod = node.run_pod("web", shell(image, "echo hello; exec sleep 100"))
    status = await node.running(pod)
    assert status["phase"] == "Running"
    assert status["podIP"].startswith("10.233.77.")
    assert status["containerStatuses"][0]["containerID"].startswith("podman://")
    assert node.log(pod, "app") == "hello\n"
    node.delete_pod(pod)
    await node.gone(pod)
    assert node.api.finished == ["web"]
    assert [reason for reason, _ in node.events("web")] == ["Pulled", "Created", "Started", "Killing"]


async def test_containers_of_a_pod_share_its_network_and_its_volumes(node, image):
    pod = node.run_pod(
        "pair",
        shell(
            image,
            "echo shared > /data/index.html; exec httpd -f -p 8080 -h /data",
            "server",
            volumeMounts=[{"name": "files", "mountPath": "/data"}],
        ),
        shell(image, "until wget -qO- http://127.0.0.1:8080/; do sleep 0.1; done; exec sleep 100", "client"),
        volumes=[{"name": "files", "emptyDir": {"medium": "Memory"}}],
    )
    await node.running(pod)
    await asyncio.sleep(0.5)
    assert node.log(pod, "client").endswith("shared\n")


async def test_pods_reach_each_other_and_themselves_by_address(node, image):
    server = node.run_pod("server", shell(image, "echo yes > /tmp/index.html; exec httpd -f -p 80 -h /tmp"))
    address = (await node.running(server))["podIP"]
    client = node.run_pod(
        "client", shell(image, f"until wget -qO- http://{address}/; do sleep 0.1; done"), restartPolicy="Never"
    )
    status = await node.until(client, lambda status: status["phase"] == "Succeeded")
    assert node.log(client, "app") == "yes\n"
    assert status["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"


async def test_init_containers_run_one_after_the_other_before_the_others(node, image):
    mount = {"volumeMounts": [{"name": "order", "mountPath": "/order"}]}
    pod = node.run_pod(
        "ordered",
        shell(image, "cat /order/log; exec sleep 100", **mount),
        initContainers=[
            shell(image, "echo one >> /order/log", "first", **mount),
            shell(image, "echo side >> /order/log; exec sleep 100", "side", restartPolicy="Always", **mount),
            shell(image, "sleep 0.2; echo two >> /order/log", "second", **mount),
        ],
        volumes=[{"name": "order", "emptyDir": {}}],
    )
    status = await node.running(pod)
    assert node.log(pod, "app").splitlines() == ["one", "side", "two"]
    assert [each["ready"] for each in status["initContainerStatuses"]] == [True, True, True]
    node.delete_pod(pod)
    await node.gone(pod)


async def test_a_container_that_fails_is_started_again_at_once_and_then_waits(node, image):
    pod = node.run_pod("crashing", shell(image, "echo once more; exit 3"))
    status = await node.until(
        pod,
        lambda status: (
            status["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
            and status["containerStatuses"][0]["restartCount"] == 1
        ),
    )
    container = status["containerStatuses"][0]
    assert container["lastState"]["terminated"]["exitCode"] == 3
    assert container["lastState"]["terminated"]["reason"] == "Error"
    assert container["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=app pod=")
    assert status["phase"] == "Running"
    assert node.log(pod, "app", attempt=1) == "once more\n"


async def test_a_killed_container_is_back_and_its_restart_counted(node, image):
    pod = node.run_pod("killed", shell(image, "exec sleep 100"))
    status = await node.running(pod)
    container = status["containerStatuses"][0]["containerID"].removeprefix("podman://")
    await node.parts.tools.engine.kill(container, "SIGKILL")
    status = await node.until(pod, lambda status: status["containerStatuses"][0]["restartCount"] == 1)
    status = await node.running(pod)
    assert status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137


async def test_never_means_never_and_the_phase_tells_the_exit_code(node, image):
    pod = node.run_pod("failing", shell(image, "echo last words > /dev/termination-log; exit 7"), restartPolicy="Never")
    status = await node.until(pod, lambda status: status["phase"] == "Failed")
    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (7, "Error", "last words\n")


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


async def test_memory_beyond_the_limit_ends_as_oom_killed(node, image):
    hungry = "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done"
    pod = node.run_pod("hungry", shell(image, hungry, resources={"limits": {"memory": "20Mi"}}), restartPolicy="Never")
    status = await node.until(pod, lambda status: status["phase"] == "Failed")
    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


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


async def test_readiness_follows_the_probe(node, image):
    pod = node.run_pod(
        "ready",
        shell(
            image,
            "mkdir /tmp/w; httpd -p 8080 -h /tmp/w; sleep 1; touch /tmp/w/ok; exec sleep 100",
            readinessProbe={"httpGet": {"path": "/ok", "port": "web"}, "periodSeconds": 1},
            ports=[{"name": "web", "containerPort": 8080}],
        ),
    )
    status = await node.until(pod, lambda status: status["containerStatuses"][0]["started"])
    assert not status["containerStatuses"][0]["ready"]
    await node.running(pod)
    assert ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404") in node.events("ready")


async def test_a_container_that_fails_its_liveness_probe_is_restarted(node, image):
    probe = {"exec": {"command": ["cat", "/tmp/alive"]}, "periodSeconds": 1, "failureThreshold": 2}
    pod = node.run_pod(
        "mortal", shell(image, "touch /tmp/alive; sleep 1; rm /tmp/alive; sleep 100", livenessProbe=probe)
    )
    await node.until(pod, lambda status: status["containerStatuses"][0]["restartCount"] == 1, seconds=20)
    assert ("Killing", "Container app failed liveness probe, will be restarted") in node.events("mortal")


async def test_a_pre_stop_hook_and_the_stop_signal_have_the_grace_period(node, image, tmp_path):
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> /out/log"]}}}
    script = "trap 'echo term >> /out/log; exit 0' TERM; while true; do sleep 0.1; done"
    pod = node.run_pod(
        "polite",
        shell(image, script, lifecycle=hook, volumeMounts=[{"name": "out", "mountPath": "/out"}]),
        volumes=[{"name": "out", "hostPath": {"path": str(tmp_path / "out"), "type": "DirectoryOrCreate"}}],
        terminationGracePeriodSeconds=10,
    )
    await node.running(pod)
    node.delete_pod(pod)
    await node.gone(pod, seconds=8)
    assert (tmp_path / "out" / "log").read_text() == "hook\nterm\n"


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


async def test_a_pod_has_a_deadline(node, image):
    pod = node.run_pod("late", shell(image, "exec sleep 100"), activeDeadlineSeconds=2)
    await node.running(pod)
    status = await node.until(pod, lambda status: status["phase"] == "Failed")
    assert status["reason"] == "DeadlineExceeded"
