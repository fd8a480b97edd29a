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
    await node.until(pod, lambda status: status["containerStatuses"][0]["restartCount"] == 1)
    assert ("Killing", "Container app failed liveness probe, will be restarted") in node.events("mortal")
