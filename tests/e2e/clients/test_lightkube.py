"""`lightkube`: typed objects, apply, watches and waiting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lightkube import AsyncClient, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.types import PatchType

pytestmark = pytest.mark.e2e


async def test_objects_apply_watches_and_logs(kubeconfig: Path, namespace: str, pod: str) -> None:
    client = AsyncClient(KubeConfig.from_file(kubeconfig), namespace=namespace, field_manager="lightkube")
    made = await client.create(ConfigMap(metadata=ObjectMeta(name="m"), data={"k": "1"}))
    assert made.metadata is not None
    version = made.metadata.resourceVersion
    await client.patch(ConfigMap, "m", {"data": {"k": "2"}}, patch_type=PatchType.MERGE)
    applied = await client.apply(ConfigMap(metadata=ObjectMeta(name="m"), data={"other": "3"}))
    assert applied.data == {"k": "2", "other": "3"}
    async with asyncio.timeout(90):
        async for event, obj in client.watch(ConfigMap, resource_version=version):
            if obj.metadata.name == "m" and "other" in obj.data:
                assert event == "MODIFIED"
                break
    assert [each.metadata.name async for each in client.list(ConfigMap, fields={"metadata.name": "m"})] == ["m"]
    await client.delete(ConfigMap, "m")
    with pytest.raises(ApiError) as gone:
        await client.get(ConfigMap, "m")
    assert gone.value.status.reason == "NotFound"
    await client.wait(Pod, pod, for_conditions=["Ready"])
    assert [line async for line in client.log(pod)] == ["hello from the log\n"]
    await client.close()
