"""Work inside another network namespace, from this process.

A kubelet runs on the machine while its node is a network namespace. A socket belongs for ever to the namespace of
the thread that made it; so one thread that has entered the node's namespace makes the sockets of probes, and the
event loop uses them. Python 3.11 has no `os.setns`: libc's is called.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000


class NodeNamespace:
    """One thread in a network namespace ("": the one of this process)."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="node-netns", initializer=_enter, initargs=(path,))

    async def run(self, work: Callable[[], T]) -> T:
        """Do something short there."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected TCP socket of that namespace.

        Raises:
            OSError: no connection came about.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = await self.run(lambda: socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
        try:
            await asyncio.get_running_loop().sock_connect(made, (host, port))
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)


def _enter(path: str) -> None:
    if not path:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(handle, CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(handle)
