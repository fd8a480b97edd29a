"""Sockets on which instances say that they are ready: one each, so that its path tells who speaks.

The datagrams are systemd's (`READY=1`), so that etcd, which speaks that too, needs nothing of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

from kubus.service.notify import decode_notice

DATAGRAM_BYTES_MAX = 4096
Heard = Callable[[str, bool, str], None]
"""(instance, ready, reason)."""


class Notices:
    """Hears instances."""

    def __init__(self, directory: Path, heard: Heard) -> None:
        self._directory = directory
        self._heard = heard
        self._sockets: dict[str, socket.socket] = {}

    def path(self, instance: str) -> Path:
        """What an instance gets as NOTIFY_SOCKET."""
        return self._directory / f"{instance}.notify"

    def open(self, instance: str) -> None:
        """Begin to listen to an instance."""
        path = self.path(instance)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        listener.bind(str(path))
        self._sockets[instance] = listener
        asyncio.get_running_loop().add_reader(listener, self._read, instance, listener)

    def close(self, instances: list[str]) -> None:
        """Listen to instances no more."""
        for instance in instances:
            listener = self._sockets.pop(instance)
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()
            self.path(instance).unlink(missing_ok=True)

    def _read(self, instance: str, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                notice = decode_notice(listener.recv(DATAGRAM_BYTES_MAX))
                if notice is not None:
                    self._heard(instance, notice.ready, notice.status)
