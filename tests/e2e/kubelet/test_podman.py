"""Images by podman-py, from a real registry on the node's loopback."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shutil

import pytest

from kubus_kubelet.podman import Images, PullError
from kubus_kubelet.podman_service import podman_command, podman_environment
from kubus_kubelet.settings import NodePaths

from .conftest import Node, import_image

pytestmark = pytest.mark.e2e
PORT = 5977

CONFIG = """\
version: 0.1
storage:
  filesystem:
    rootdirectory: {root}
http:
  addr: 127.0.0.1:{port}
"""


@pytest.fixture
async def registry(node, image, tmp_path):
    """A registry inside the node, with the test image in it."""
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed")
    (tmp_path / "registry.yml").write_text(CONFIG.format(root=tmp_path / "registry", port=PORT))
    serve = ("docker-registry", "serve", str(tmp_path / "registry.yml"))
    name = f"127.0.0.1:{PORT}/app:1"
    with (tmp_path / "registry.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("nsenter", f"--net={node.settings.node_netns}", *serve), stderr=log, stdout=log
        )
    try:
        await push(node, image, name, process)
        yield name
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def push(node, image, name, registry):
    """Push an image as soon as the registry answers; an AssertionError says why it never did."""
    command = podman_command(node.settings, NodePaths.of(node.settings), "push", "--tls-verify=false", image, name)
    environ = podman_environment(NodePaths.of(node.settings))
    said = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(90):
            while registry.returncode is None:
                pushing = await asyncio.create_subprocess_exec(
                    *command, env=environ, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
                )
                said = (await pushing.communicate())[1]
                if pushing.returncode == 0:
                    return
                await asyncio.sleep(0.1)
    log = (node.settings.data_dir / "registry.log").read_text()
    raise AssertionError(f"{name} was not pushed: {said.decode()}\nregistry ended with {registry.returncode}:\n{log}")


async def test_an_image_is_pulled_and_a_pod_runs_on_it(node, registry):
    pod = node.run_pod("pulled", {"name": "app", "image": registry, "command": ["sleep", "1000"]})
    await node.running(pod)
    reasons = [reason for reason, _ in node.events("pulled")]
    assert reasons == ["Pulling", "Pulled", "Created", "Started"]


async def test_an_error_of_the_registry_is_an_error(node, registry):
    images = Images(NodePaths.of(node.settings).podman_socket)
    with pytest.raises(PullError, match="manifest unknown"):
        await images.pull(registry.removesuffix(":1") + ":2", verify_tls=False)
    with pytest.raises(PullError, match=r"manifest unknown|name unknown"):
        await images.pull(registry.replace("/app", "/none"), verify_tls=False)
    await images.pull(registry, verify_tls=False)
    assert any(registry in (each.get("RepoTags") or ()) for each in await images.all())


@pytest.mark.parametrize("exists", [False, True], ids=["no directory", "an empty directory"])
async def test_images_are_found_that_were_built_after_the_start_on_a_machine_that_never_had_one(
    node_settings, image_archive, tmp_path, exists
):
    store = tmp_path / "store"
    if exists:
        store.mkdir()
    node = Node(dataclasses.replace(node_settings, image_stores=(str(store),)))
    await node.start()
    try:
        import_image(image_archive, "localhost/built-later:1", f"--root={store}")
        pod = node.run_pod("late", {"name": "app", "image": "localhost/built-later:1", "command": ["sleep", "1000"]})
        await node.running(pod)
    finally:
        await node.kill()


async def test_without_podman_there_are_no_images(tmp_path):
    assert await Images(tmp_path / "none").all() == []
    with pytest.raises(PullError):
        await Images(tmp_path / "none").pull("a:1")
