"""`kr8s`: finds what there is by discovery, and speaks like kubectl."""

from __future__ import annotations

import asyncio
from pathlib import Path

import kr8s.asyncio
import pytest
from kr8s.asyncio.objects import ConfigMap, Pod

pytestmark = pytest.mark.e2e


async def test_objects_watches_logs_and_exec(kubeconfig: Path, namespace: str, pod: str) -> None:
    api = await kr8s.asyncio.api(kubeconfig=str(kubeconfig), namespace=namespace)
    assert (await api.version())["major"] == "1"
    made = await ConfigMap({"metadata": {"name": "m", "namespace": namespace}, "data": {"k": "1"}}, api=api)
    await made.create()
    await made.patch({"data": {"k": "2"}})
    await made.refresh()
    assert made.data == {"k": "2"}
    await made.label(team="a")
    found = [each.name async for each in api.get("configmaps", namespace=namespace, label_selector={"team": "a"})]
    assert found == ["m"]
    async with asyncio.timeout(90):
        async for event, obj in api.watch("configmaps", namespace=namespace):
            if obj.name == "m":
                assert event == "ADDED"
                break
    await made.delete()
    running = await Pod.get(pod, namespace=namespace, api=api)
    assert await running.ready()
    assert [line async for line in running.logs()] == ["hello from the log"]
    done = await running.exec(["echo", "hello"])
    assert (done.returncode, done.stdout) == (0, b"hello\n")
