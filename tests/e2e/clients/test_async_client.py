"""`kubernetes_asyncio`: the generated client over aiohttp, with its watch and its exec."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.stream import WsApiClient

pytestmark = pytest.mark.e2e


async def test_objects_watches_and_exec(kubeconfig: Path, namespace: str, pod: str) -> None:
    configuration = client.Configuration()
    await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    async with client.ApiClient(configuration) as api:
        core = client.CoreV1Api(api)
        version = (await core.list_namespaced_config_map(namespace)).metadata.resource_version
        made = await core.create_namespaced_config_map(namespace, {"metadata": {"name": "m"}, "data": {"k": "1"}})
        assert made.metadata.name == "m"
        patched = await core.patch_namespaced_config_map("m", namespace, {"data": {"k": "2"}})
        assert patched.data == {"k": "2"}
        await core.delete_namespaced_config_map("m", namespace)
        seen = []
        async with asyncio.timeout(90), watch.Watch() as watching:
            async for event in watching.stream(
                core.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=10
            ):
                seen.append(event["type"])
                if len(seen) == 3:
                    break
        assert seen == ["ADDED", "MODIFIED", "DELETED"]
        assert "hello" in await core.read_namespaced_pod_log(pod, namespace)
    async with WsApiClient(configuration) as api:
        said = await client.CoreV1Api(api).connect_get_namespaced_pod_exec(
            pod, namespace, command=["echo", "hello"], stdin=False, stdout=True, stderr=True, tty=False
        )
        assert said == "hello\n"
