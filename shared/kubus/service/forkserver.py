"""A process that starts services by forking: what they share is imported once.

Started by a supervisor as `python -m kubus.service.forkserver FD`, where FD is its end of a SOCK_SEQPACKET pair. It
imports what services share, freezes the heap (so that the collector does not touch, and thereby copy, shared pages)
and says {"imported": seconds}. Then each packet is a JSON request

    {"start": instance, "service": entry point, "environ": {…}, "log": path}

and it answers {"started": instance, "pid": n}, and once the process has ended {"ended": pid, "status": exit status
as from subprocess: negative for a signal}. It holds no thread, channel or connection, which is what makes a fork
safe. When the supervisor is gone it starts nothing more, and ends with its last child: services outlive their
supervisor.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from kubus.model.codec import from_json, to_json
from kubus.service.clocks import SystemClock

GROUP = "kubus.services"
SHARED_MODULES = (
    "asyncio",
    "ssl",
    "google.protobuf.message",
    "hpack",
    "nats",
    "aiohttp.web",
    "prometheus_client",
    "sortedcontainers",
    "kubus.service.life",
    "kubus.service.probes",
    "kubus.service.tls",
    "kubus.bus.nats",
    "kubus.client.over_bus",
    "kubus.model.kinds.builtin",
)
PACKET_BYTES_MAX = 1 << 18
EXIT_NO_SERVICE = 127


class ForkServer:
    """Forks on request, and reports who has ended."""

    def __init__(self, supervisor: socket.socket) -> None:
        self._supervisor = supervisor
        self._services: dict[str, EntryPoint] = {}
        self._children: set[int] = set()
        self._connected = True
        self._wake_read, self._wake_write = os.pipe()

    def serve(self) -> None:
        """Until the supervisor and the last child are gone."""
        clock = SystemClock()
        began = clock.monotonic()
        self._prepare()
        self._say({"imported": round(clock.monotonic() - began, 3)})
        poll = select.poll()
        poll.register(self._supervisor, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while self._connected or self._children:
            for descriptor, _ in poll.poll():
                if descriptor == self._wake_read:
                    os.read(self._wake_read, 4096)
                    self._reap()
                elif not self._take_request():
                    poll.unregister(self._supervisor)

    def _prepare(self) -> None:
        for module in SHARED_MODULES:
            try:
                importlib.import_module(module)
            except ImportError:  # the services that need it will say so themselves
                traceback.print_exc()
        self._services = {each.name: each for each in entry_points(group=GROUP)}
        os.set_blocking(self._wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self._wake_write)
        gc.collect()
        gc.freeze()

    def _take_request(self) -> bool:
        data = self._supervisor.recv(PACKET_BYTES_MAX)
        if not data:
            self._connected = False
            return False
        request = from_json(data)
        pid = os.fork()
        if pid == 0:
            self._become(request)  # does not return
        self._children.add(pid)
        self._say({"started": request["start"], "pid": pid})
        return True

    def _become(self, request: dict[str, Any]) -> None:
        """The forked child's life. Never returns into the server's loop, whatever happens."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            self._supervisor.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
            os.setsid()
            _redirect(request["log"])
            os.environ.clear()
            os.environ.update(request["environ"])
            Path("/proc/self/comm").write_text(f"kubus-{request['start']}"[:15])
            status = _call(self._services.get(request["service"]), request["service"])
        except BaseException:  # the child has nobody above it who could print this
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._children.discard(pid)
            self._say({"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _say(self, message: dict[str, Any]) -> None:
        try:
            self._supervisor.send(to_json(message))
        except OSError:  # the supervisor is gone; its children are not
            self._connected = False


def _call(service: EntryPoint | None, name: str) -> int:
    if service is None:
        sys.stderr.write(f"no service {name!r} is installed\n")
        return EXIT_NO_SERVICE
    try:
        main: Callable[[], int] = service.load()
    except ImportError:
        traceback.print_exc()
        return EXIT_NO_SERVICE
    try:
        return main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1


def _redirect(log: str) -> None:
    nothing = os.open("/dev/null", os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(nothing)
    os.close(out)


def main(descriptor: int) -> int:
    """Serve the supervisor at the other end of a socket."""
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")  # no channel exists before the fork
    with socket.socket(fileno=descriptor) as supervisor:
        ForkServer(supervisor).serve()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))
