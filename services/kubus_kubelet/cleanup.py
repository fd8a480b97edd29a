"""Take everything of a node down: containers, network namespaces, mounts, Podman's service.

`python -m kubus_kubelet.cleanup` with the kubelet's own settings in the environment, while no kubelet of that node
runs. It goes by what it finds, so it may be repeated, and works after a crash of anything. With KUBUS_PURGE=true the
node's data goes too; without it images and logs of the node stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from kubus.service import settings as settings_module
from kubus.service.settings import SettingsError
from kubus_kubelet import kernel
from kubus_kubelet.podman_service import end_service, podman_command, podman_environment
from kubus_kubelet.sandbox import SandboxError, Sandboxes, netns_path
from kubus_kubelet.settings import KubeletSettings, NodePaths

PROCESS_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class CleanUpSettings:
    """How much to take down."""

    purge: bool = False
    """Whether the node's data goes too."""


async def clean_up(settings: KubeletSettings, *, purge: bool = True) -> None:
    """Take a node down."""
    paths = NodePaths.of(settings)
    end_service(paths)
    if (paths.data / "storage.conf").exists():
        await _remove_containers(settings, paths)
    await _remove_sandboxes(settings, paths)
    await _end_processes(paths)
    for directory in (paths.data, paths.run):
        for target in kernel.mounts_below(directory):
            try:
                kernel.unmount(target)
            except OSError as error:  # the next one may go
                sys.stderr.write(f"not unmounted: {error}\n")
    shutil.rmtree(paths.pods, ignore_errors=True)
    shutil.rmtree(paths.run, ignore_errors=True)
    with contextlib.suppress(OSError):
        paths.run.parent.rmdir()
    if purge:
        shutil.rmtree(paths.data, ignore_errors=True)


async def _remove_containers(settings: KubeletSettings, paths: NodePaths) -> None:
    if not _netns_stands(settings):
        settings = KubeletSettings(node_name=settings.node_name, data_dir=settings.data_dir)
    command = podman_command(settings, paths, "rm", "--all", "--force", "--time=0", "--volumes")
    process = await asyncio.create_subprocess_exec(
        *command,
        env=podman_environment(paths),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode:
        sys.stderr.write(errors.decode(errors="replace"))


async def _end_processes(paths: NodePaths) -> None:
    """Wait for conmon and the clean-up that it starts for each container; what does not end is killed.

    A clean-up that came later would mount the storage again.
    """
    waited = 0.0
    while (left := processes_of(paths)) and waited < PROCESS_SECONDS_MAX:
        await asyncio.sleep(0.02)
        waited += 0.02
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def processes_of(paths: NodePaths) -> list[int]:
    """Podmans and conmons whose command line names the node's storage."""
    mark, found = os.fsencode(paths.storage), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes()
                program = Path(os.fsdecode(line.split(b"\0", 1)[0])).name
                if mark in line and program in ("conmon", "podman"):
                    found.append(int(entry.name))
    return found


def _netns_stands(settings: KubeletSettings) -> bool:
    return not settings.node_netns or Path(settings.node_netns).exists()


async def _remove_sandboxes(settings: KubeletSettings, paths: NodePaths) -> None:
    sandboxes = Sandboxes(settings.node_netns if _netns_stands(settings) else "")
    uids = {each.name for each in paths.pods.iterdir()} if paths.pods.exists() else set()
    if _netns_stands(settings):
        with contextlib.suppress(SandboxError):
            uids |= {wire.uid for wire in await sandboxes.wires()}
    for uid in uids:
        if netns_path(uid).exists():
            try:
                await sandboxes.remove(uid)
            except SandboxError as error:
                sys.stderr.write(f"{error}\n")


def main() -> int:
    """Clean up after the node that the environment describes."""
    try:
        settings = settings_module.read(KubeletSettings, os.environ)
        purge = settings_module.read(CleanUpSettings, os.environ).purge
    except SettingsError as error:
        sys.stderr.write(f"cannot clean up: {error}\n")
        return 78
    asyncio.run(clean_up(settings, purge=purge))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
