"""After clean-up nothing of a node is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubus.service.settings import environment
from kubus_kubelet.cleanup import clean_up, processes_of
from kubus_kubelet.kernel import mounts_below
from kubus_kubelet.settings import NodePaths

pytestmark = pytest.mark.e2e


def exists(path):
    return Path(path).exists()


async def test_nothing_is_left(node, image):
    volumes = [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]
    mounts = [{"name": "tmp", "mountPath": "/tmp/x", "subPath": "inner"}]
    container = {"name": "app", "image": image, "command": ["sleep", "1000"], "volumeMounts": mounts}
    pod = node.run_pod("gone", container, volumes=volumes)
    await node.running(pod)
    pid = node.parts.pods.workers[pod["metadata"]["uid"]].seen.containers[0].pid
    await node.kill()
    await clean_up(node.settings)
    paths = NodePaths.of(node.settings)
    assert not exists(f"/proc/{pid}")
    assert not paths.data.exists()
    assert not paths.run.exists()
    assert not exists(f"/run/netns/{pod['metadata']['uid']}")
    assert not mounts_below(paths.data)
    assert not processes_of(paths)


def test_it_is_a_command_that_may_be_repeated(node_settings):
    environ = {**os.environ, **environment(node_settings)}
    for _ in range(2):
        subprocess.run([sys.executable, "-m", "kubus_kubelet.cleanup"], env=environ, check=True)
    refused = subprocess.run([sys.executable, "-m", "kubus_kubelet.cleanup"], env={}, capture_output=True, check=False)
    assert refused.returncode == 78
    assert b"KUBUS_NODE_NAME is not set" in refused.stderr
