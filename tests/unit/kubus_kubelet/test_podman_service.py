"""How a node's Podman is configured and called."""

from __future__ import annotations

from kubus_kubelet.podman_service import (
    STORE_LOCKS,
    end_service,
    entered,
    initialize_image_store,
    podman_command,
    podman_environment,
    podman_version,
    prepare,
    storage_conf,
)
from kubus_kubelet.settings import KubeletSettings, NodePaths


def node(tmp_path, **more):
    settings = KubeletSettings(node_name="n1", data_dir=tmp_path, **more)
    return settings, NodePaths(data=tmp_path / "data", run=tmp_path / "run")


def test_only_image_stores_that_were_initialized_are_named(tmp_path):
    for lock in STORE_LOCKS:
        (tmp_path / "store" / lock).parent.mkdir(parents=True)
        (tmp_path / "store" / lock).touch()
    (tmp_path / "none" / "overlay-images").mkdir(parents=True)
    stores = (str(tmp_path / "store"), str(tmp_path / "none"))
    settings, paths = node(tmp_path, image_stores=stores)
    text = storage_conf(settings, paths)
    assert f'additionalimagestores = ["{tmp_path}/store"]' in text
    assert f'graphroot = "{paths.data}/storage"' in text


def test_podman_enters_the_nodes_namespace_and_reads_the_nodes_files(tmp_path):
    settings, paths = node(tmp_path, node_netns="/run/netns/x")
    command = podman_command(settings, paths, "ps")
    assert command[:3] == ("nsenter", "--net=/run/netns/x", "podman")
    assert command[-1] == "ps"
    assert podman_environment(paths)["CONTAINERS_STORAGE_CONF"] == str(paths.data / "storage.conf")
    assert entered("", "ip") == ("ip",)


async def test_an_image_store_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    assert not await initialize_image_store(str(tmp_path / "file" / "store"))


def test_preparing_twice_is_harmless_and_a_strangers_process_is_spared(tmp_path):
    settings, paths = node(tmp_path, image_stores=())
    prepare(settings, paths)
    prepare(settings, paths)
    paths.podman_pid.write_text("1")
    end_service(paths)


async def test_the_version_is_a_number_or_unknown():
    found = await podman_version()
    assert found == "unknown" or found.split(".")[0].isdigit()
