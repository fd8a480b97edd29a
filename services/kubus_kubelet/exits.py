"""How the kubelet learns, within a millisecond, that a container has ended: pidfds and conmon's exit files.

A pidfd of the container's first process becomes readable when it ends; conmon then writes the exit code to a file
(10 ms). Neither costs a call to Podman. On cgroup v1 an eventfd on `memory.oom_control` tells that memory ran out,
which Podman 4.3 does not; on cgroup v2 Podman does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kubus_kubelet.settings import NodePaths

EXIT_FILE_SECONDS_MAX = 5.0
MEMORY_V1 = Path("/sys/fs/cgroup/memory")


class Watch(Protocol):
    """One running container under watch."""

    out_of_memory: bool

    def signal(self, number: int) -> None:
        """Send a signal; that it has ended already is not an error."""

    def close(self) -> None:
        """Stop watching."""


class Exits(Protocol):
    """How containers end, on one node."""

    def watch(self, container_id: str, pid: int, ended: Callable[[], None]) -> Watch:
        """Watch a running container; `ended` is called once.

        Raises:
            OSError: there is no such process, or it is not this container's.
        """

    async def code(self, container_id: str) -> int | None:
        """The exit code of a container that has just ended; None if nobody tells it."""

    def is_out_of_memory(self, container_id: str) -> bool:
        """Whether the kernel or conmon has noted that the container's memory ran out."""


class ProcessExits:
    """`Exits` by pidfds and conmon's exit files."""

    def __init__(self, paths: NodePaths) -> None:
        self._paths = paths

    def watch(self, container_id: str, pid: int, ended: Callable[[], None]) -> Watch:
        """Watch a container's first process; see `Exits.watch`."""
        return ExitWatch(container_id, pid, ended)

    async def code(self, container_id: str) -> int | None:
        """The exit code that conmon wrote; see `Exits.code`."""
        return await exit_code(self._paths, container_id)

    def is_out_of_memory(self, container_id: str) -> bool:
        """What the memory controller and conmon say; see `Exits.is_out_of_memory`."""
        return oom_noted(self._paths, container_id)


class ExitWatch:
    """Watches one running container until it ends or `close`."""

    def __init__(self, container_id: str, pid: int, ended: Callable[[], None]) -> None:
        """Watch; `ended` is called once, at once if it has ended already.

        Raises:
            ProcessLookupError: there is no such process, or it is not this container's.
        """
        self.container_id = container_id
        self.out_of_memory = False
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._pidfd = os.pidfd_open(pid)
        cgroup = memory_cgroup(pid)
        if not _belongs(pid, container_id):
            os.close(self._pidfd)
            raise ProcessLookupError(pid)
        self._oom_fd = _watch_memory(cgroup) if cgroup is not None else -1
        self._cgroup = cgroup
        self._signals = 0
        self._loop.add_reader(self._pidfd, self._on_exit)
        if self._oom_fd >= 0:
            self._loop.add_reader(self._oom_fd, self._on_memory)

    def signal(self, number: int) -> None:
        """Send a signal; that it has ended already is not an error."""
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def close(self) -> None:
        """Stop watching."""
        for handle in (self._pidfd, self._oom_fd):
            if handle >= 0:
                self._loop.remove_reader(handle)
                os.close(handle)
        self._pidfd = self._oom_fd = -1

    def _on_exit(self) -> None:
        if self._oom_fd >= 0:
            self._on_memory()  # both may be readable at once, and this one first
        self.close()
        self._ended()

    def _on_memory(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._signals += int.from_bytes(os.read(self._oom_fd, 8), sys.byteorder)
        # The kernel signals the removal of the cgroup too, once.
        there = self._cgroup is not None and self._cgroup.is_dir()
        self.out_of_memory = self._signals > (0 if there else 1)


def _belongs(pid: int, container_id: str) -> bool:
    try:
        text = Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False
    return container_id in text


def memory_cgroup(pid: int) -> Path | None:
    """The directory of a process's memory controller on cgroup v1; None elsewhere."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return MEMORY_V1 / path.lstrip("/")
    return None


def _watch_memory(cgroup: Path) -> int:
    try:
        handle = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    except OSError:
        return -1
    try:
        with (cgroup / "memory.oom_control").open() as control:
            (cgroup / "cgroup.event_control").write_text(f"{handle} {control.fileno()}")
    except OSError:
        os.close(handle)
        return -1
    return handle


def oom_noted(paths: NodePaths, container_id: str) -> bool:
    """Whether the kernel (while the container's cgroup is still there) or conmon has noted that memory ran out."""
    with contextlib.suppress(OSError):
        control = (MEMORY_V1 / "libpod_parent" / f"libpod-{container_id}" / "memory.oom_control").read_text()
        if "oom_kill 0" not in control:
            return True
    return any(paths.storage.glob(f"*-containers/{container_id}/userdata/oom"))


async def exit_code(paths: NodePaths, container_id: str) -> int | None:
    """The exit code that conmon writes soon after the end; None if it does not."""
    file = paths.exits / container_id
    waited = 0.0
    while waited < EXIT_FILE_SECONDS_MAX:
        with contextlib.suppress(OSError, ValueError):
            return int(file.read_text())
        pause = 0.005 if waited < 0.1 else 0.05
        await asyncio.sleep(pause)
        waited += pause
    return None
