"""The supervisor: keeps the processes of one cluster running. `python -m kubus_cli.supervisor HOME`.

An asyncio driver around `kubus_cli.supervision`, which decides. News comes from sockets only: each instance has a
datagram socket on which it says that it is ready, the fork server reports who has ended, and clients of the control
socket ask for things, one JSON line each way:

    {"do": "status"}            the instances, once
    {"do": "watch"}             the instances, again after every change
    {"do": "reload"}            read cluster.json again, start what is new, end what is not wanted any more, let
                                nats-server read its users again
    {"do": "restart", "instance": …}   SIGTERM, and start again; "signal" may name another
    {"do": "stop"}              end everything, dependents first, and itself

When it is killed its processes live on; `kubus up` and `kubus down` find them by `processes.json`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubus.model.codec import DecodeError, from_json, to_json
from kubus.service import SystemClock, logs
from kubus.service.notify import VARIABLE, Notice, send_notice
from kubus_cli import clusters, control, forking, leftovers, notices
from kubus_cli.clusters import Cluster
from kubus_cli.components import Component, components
from kubus_cli.failures import Failure
from kubus_cli.programs import find_programs
from kubus_cli.supervision import Supervision

STOP_SECONDS = 12.0
PORT_SECONDS_BETWEEN = 0.01  # a refused connection on loopback costs microseconds
LOG_BYTES_MAX = 32 << 20


class Supervisor:
    """One cluster's processes."""

    def __init__(self, cluster: Cluster, environ: Mapping[str, str], tasks: asyncio.TaskGroup) -> None:
        self._cluster = cluster
        self._environ = environ
        self._programs = find_programs(environ)
        self._tasks = tasks
        self._clock = SystemClock()
        self._log = logs.Logger("supervisor")
        self._supervision = Supervision()
        self._changed = asyncio.Condition()
        self._version = 0
        self._wake = asyncio.Event()
        self._forks = forking.Forks(self._forked, self._ended)
        self._notices = notices.Notices(cluster.run_dir, self._noticed)
        self._stopped = asyncio.Event()
        self._stop_asked = False
        self._killed: list[str] = []

    async def run(self) -> None:
        """Until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask_to_stop)
        self._forks.start(self._cluster.log_file("forkserver"))
        self._take_on(self._cluster)
        server = await asyncio.start_unix_server(self._serve_client, self._cluster.run_dir / control.CONTROL)
        async with server:
            send_notice(self._environ, Notice(True, "listening"))
            driving = self._tasks.create_task(self._drive())
            await self._stopped.wait()
            driving.cancel()
        self._forks.close()
        self._notices.close(list(self._supervision.instances))
        leftovers.forget(self._cluster.run_dir)

    def ask_to_stop(self) -> None:
        """End everything, once."""
        if not self._stop_asked:
            self._stop_asked = True
            self._tasks.create_task(self._stop())

    def _take_on(self, cluster: Cluster) -> None:
        self._cluster = cluster
        for component in self._supervision.add(components(cluster, self._programs, self._environ)):
            self._notices.open(component.instance)
        self._happened()

    def _happened(self) -> None:
        """Something changed: let the driver look, and tell who watches."""
        self._version += 1
        self._wake.set()

    async def _drive(self) -> None:
        while True:
            self._wake.clear()
            start, again_at = self._supervision.due(self._clock.monotonic())
            for component in start:
                self._start(component)
            leftovers.remember(self._cluster.run_dir, self._pids())
            async with self._changed:
                self._changed.notify_all()
            pause = None if again_at is None else max(0.0, again_at - self._clock.monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    def _pids(self) -> dict[str, int]:
        pids = {name: each.pid for name, each in self._supervision.instances.items() if each.pid}
        return {"supervisor": os.getpid(), "forkserver": self._forks.pid, **pids}

    def _start(self, component: Component) -> None:
        name = component.instance
        self._supervision.starting(name, self._clock.monotonic())
        self._log.info("starting", component=name)
        log = _log_file(self._cluster.log_file(name))
        variables = {VARIABLE: str(self._notices.path(name))}
        if component.command:
            self._tasks.create_task(self._run_program(component, log, variables))
        else:
            self._forks.fork(name, component.service, {**component.environ, **variables}, log)

    async def _run_program(self, component: Component, log: Path, variables: dict[str, str]) -> None:
        with open_log(log) as output:
            process = await asyncio.create_subprocess_exec(
                *component.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self._environ, **component.environ, **variables},
                start_new_session=True,
            )
        self._forked(component.instance, process.pid)
        looking = None
        if component.ready_port:
            looking = self._tasks.create_task(self._look_for_port(component.instance, component.ready_port))
        status = await process.wait()
        if looking is not None:
            looking.cancel()
        self._ended(process.pid, status)

    async def _look_for_port(self, name: str, port: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                self._noticed(name, True, "")
                return
            await asyncio.sleep(PORT_SECONDS_BETWEEN)

    def _forked(self, name: str, pid: int) -> None:
        self._supervision.started(name, pid, self._clock.monotonic())
        self._happened()

    def _ended(self, pid: int, status: int) -> None:
        self._log.info("ended", pid=pid, status=status)
        self._supervision.ended(pid, status, self._clock.monotonic())
        self._happened()

    def _noticed(self, name: str, ready: bool, reason: str) -> None:
        self._supervision.noticed(name, ready, reason, self._clock.monotonic())
        self._happened()

    async def _stop(self) -> None:
        for group in self._supervision.stop():
            if not await self._end_group(group, signal.SIGTERM):
                self._killed += [name for name in group if self._supervision.instances[name].runs]
                await self._end_group(group, signal.SIGKILL)
        self._stopped.set()

    async def _end_group(self, group: list[str], number: signal.Signals) -> bool:
        instances = [self._supervision.instances[name] for name in group]
        for each in instances:
            self._signal(each.pid, number)
        try:
            async with asyncio.timeout(STOP_SECONDS), self._changed:
                await self._changed.wait_for(lambda: not any(each.runs for each in instances))
        except TimeoutError:
            return False
        return True

    def _signal(self, pid: int, number: signal.Signals) -> None:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                await self._answer(from_json(await reader.readuntil()), writer)
            except (Failure, DecodeError, KeyError) as error:
                await _say(writer, {"error": str(error)})
        writer.close()

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        match request["do"]:
            case "status":
                await _say(writer, self._status())
            case "watch":
                await self._tell_changes(writer)
            case "reload":
                await self._reload()
                await _say(writer, self._status())
            case "restart":
                self._restart(request["instance"], signal.Signals[request.get("signal", "SIGTERM")])
                await _say(writer, self._status())
            case "stop":
                self.ask_to_stop()
                await self._stopped.wait()
                await _say(writer, self._status())
            case other:
                raise Failure(f"the supervisor cannot {other!r}")

    def _status(self) -> dict[str, Any]:
        return {
            "name": self._cluster.name,
            "pid": os.getpid(),
            "ready": self._supervision.all_ready(),
            "killed": list(self._killed),
            "instances": self._supervision.shown(self._clock.monotonic()),
        }

    async def _tell_changes(self, writer: asyncio.StreamWriter) -> None:
        while not self._stopped.is_set():
            told = self._version
            await _say(writer, self._status())
            await self._change_after(told)

    async def _change_after(self, version: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._version != version)

    async def _reload(self) -> None:
        cluster = clusters.load(self._cluster.home)
        if cluster is None:
            raise Failure("cluster.json is gone")
        self._signal(self._supervision.instances["nats"].pid, signal.SIGHUP)
        self._take_on(cluster)
        gone = self._supervision.retire(components(cluster, self._programs, self._environ))
        if gone and not await self._end_group(gone, signal.SIGTERM):
            await self._end_group(gone, signal.SIGKILL)
        self._supervision.forget(gone)
        self._notices.close(gone)
        self._happened()

    def _restart(self, name: str, number: signal.Signals) -> None:
        instance = self._supervision.instances.get(name)
        if instance is None:
            raise Failure(f"there is no component {name!r}; there are {', '.join(self._supervision.instances)}")
        self._supervision.restart_now(name)
        self._signal(instance.pid, number)
        self._happened()


async def _say(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(to_json(message) + b"\n")
    await writer.drain()


def _log_file(path: Path) -> Path:
    """The log to append to; a large one is put aside first, in place of the one before."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.1"))
    return path


def open_log(path: Path) -> Any:
    """A log file to append to, readable by its owner."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


async def supervise(home: Path, environ: Mapping[str, str]) -> None:
    """Run the cluster of a home until told to stop."""
    cluster = clusters.load(home)
    if cluster is None:
        raise Failure(f"there is no cluster in {home}")
    async with asyncio.TaskGroup() as tasks:
        await Supervisor(cluster, environ, tasks).run()


def main(home: str) -> int:
    """Supervise; see the module."""
    logs.configure("info", "text", "supervisor")
    try:
        asyncio.run(supervise(Path(home), os.environ))
    except Failure as failure:
        logs.Logger("supervisor").error(failure.message, advice=failure.advice)
        send_notice(os.environ, Notice(False, failure.message))
        return failure.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
