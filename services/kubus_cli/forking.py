"""The supervisor's end of the fork server (`kubus.service.forkserver`)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubus.model.codec import from_json, to_json
from kubus.service.forkserver import PACKET_BYTES_MAX

Started = Callable[[str, int], None]
"""(instance, pid)."""
Ended = Callable[[int, int], None]
"""(pid, exit status, negative for a signal)."""


class Forks:
    """Starts services by forking, and reports their starts and ends."""

    def __init__(self, started: Started, ended: Ended) -> None:
        self._started = started
        self._ended = ended
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._children: set[int] = set()
        self._asked: dict[str, bytes] = {}
        self._log = Path(os.devnull)

    @property
    def pid(self) -> int:
        """The fork server."""
        return self._server.pid if self._server else 0

    def start(self, log: Path) -> None:
        """Start the fork server; requests may follow at once (and those that got no answer are sent again)."""
        self._log = log
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, log.open("ab") as output:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "kubus.service.forkserver", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._socket = ours
        asyncio.get_running_loop().add_reader(ours, self._read)
        for request in self._asked.values():
            ours.send(request)

    def fork(self, instance: str, service: str, environ: Mapping[str, str], log: Path) -> None:
        """Have an instance of a service started."""
        if self._socket is None:
            raise RuntimeError("the fork server has not been started")
        request = {"start": instance, "service": service, "environ": dict(environ), "log": str(log)}
        self._asked[instance] = to_json(request)
        self._socket.send(self._asked[instance])

    def close(self) -> None:
        """Let the fork server go; it ends with its last child."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._server is not None:
            self._server.wait()

    def _read(self) -> None:
        data = self._socket.recv(PACKET_BYTES_MAX) if self._socket else b""
        if data:
            self._take(from_json(data))
        else:
            self._replace_server()

    def _take(self, message: dict[str, Any]) -> None:
        if "started" in message:
            self._asked.pop(message["started"], None)
            self._children.add(message["pid"])
            self._started(message["started"], message["pid"])
        elif "ended" in message:
            self._children.discard(message["ended"])
            self._ended(message["ended"], message["status"])

    def _replace_server(self) -> None:
        """The fork server has died: nobody would hear of its children's ends, so they are ended and started anew."""
        children, self._children = self._children, set()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.close()
        self.start(self._log)
        for pid in children:
            self._ended(pid, -signal.SIGKILL)
