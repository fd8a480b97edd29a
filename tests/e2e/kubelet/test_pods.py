"""Pods on a real node: Podman, namespaces, files."""

from __future__ import annotations

import asyncio

import pytest

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


async def test_readiness_follows_the_probe(node, image, talk):
    pod = node.run_pod(
        "ready",
        shell(
            image,
            "mkdir /tmp/w; httpd -f -p 8080 -h /tmp/w",
            readinessProbe={"httpGet": {"path": "/ok", "port": "web"}, "periodSeconds": 1},
            ports=[{"name": "web", "containerPort": 8080}],
        ),
    )
    unready = ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
    status = await node.until(pod, lambda status: unready in node.events("ready"))
    assert status["containerStatuses"][0]["started"] and not status["containerStatuses"][0]["ready"]
    await talk.received(await talk.open(pod, "exec", "touch", "/tmp/w/ok"))
    await node.running(pod)


async def test_a_container_that_fails_its_liveness_probe_is_restarted(node, image):
    probe = {"exec": {"command": ["cat", "/tmp/alive"]}, "periodSeconds": 1, "failureThreshold": 2}
    pod = node.run_pod(
        "mortal", shell(image, "touch /tmp/alive; sleep 1; rm /tmp/alive; sleep 100", livenessProbe=probe)
    )
    await node.until(pod, lambda status: status["containerStatuses"][0]["restartCount"] == 1)
    assert ("Killing", "Container app failed liveness probe, will be restarted") in node.events("mortal")


async def test_a_pod_that_does_not_fit_is_refused_and_one_that_does_runs(node, image):
    def with_port(name):
        port = {"containerPort": 8080, "hostPort": 25001}
        return node.run_pod(name, shell(image, "exec sleep 600", ports=[port]))

    big = shell(image, "exec sleep 600", resources={"requests": {"cpu": "4000"}})
    first = with_port("first")
    await node.running(first, seconds=30)
    for refused, reason in [
        (node.run_pod("cpu", big), "OutOfcpu"),
        (node.run_pod("label", shell(image, "exec sleep 600"), nodeSelector={"no-such": "label"}), "NodeAffinity"),
        (with_port("second"), "NodePorts"),
    ]:
        status = await node.until(refused, lambda status: status["phase"] == "Failed", seconds=30)
        assert (status["reason"], status["containerStatuses"]) == (reason, [])
    node.delete_pod(first)
    await node.gone(first, seconds=30)
    await node.running(with_port("third"), seconds=30)


async def test_safe_sysctls_hold_in_the_pod_and_unsafe_ones_are_refused(node, image):
    def with_sysctl(name, key, value):
        context = {"sysctls": [{"name": key, "value": value}]}
        script = "cat /proc/sys/net/ipv4/tcp_syncookies"
        return node.run_pod(name, shell(image, script), securityContext=context, restartPolicy="Never")

    safe = with_sysctl("safe", "net.ipv4.tcp_syncookies", "0")
    await node.until(safe, lambda status: status["phase"] == "Succeeded", seconds=30)
    assert node.log(safe, "app") == "0\n"
    unsafe = with_sysctl("unsafe", "kernel.msgmax", "8192")
    status = await node.until(unsafe, lambda status: status["phase"] == "Failed", seconds=30)
    assert status["reason"] == "SysctlForbidden"
    assert status["message"] == 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted'
