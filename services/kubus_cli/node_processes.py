"""`python -m kubus_cli.node_processes`: a node of the compose deployment, its kubelet and its proxy in one container.

Both work in the network of the container. Were they containers of their own that join the network of a third one, a
restart of all at once would leave them in a network that is gone, or not started at all: no order of starts is kept
there. Here a restart of the container is a reboot of the machine, and a process that ends alone is started again while
the other one, and the node's pods, go on. Pauses between starts are the supervisor's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubus.service import SettingsError, logs
from kubus.service.life import EXIT_CONFIG
from kubus.service.settings import PREFIX, read
from kubus_cli import identities
from kubus_cli.identities import Identity
from kubus_cli.supervision import STEADY_SECONDS, pause_seconds

STOP_SECONDS = 8.0
"""For both; the container's own patience is ten seconds."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What the container is told; the processes read the rest."""

    node_name: str
    keys_dir: Path = Path("/pki")
    """Holds the certificates of the kubelet and of the proxy."""


def process_environments(settings: NodeSettings, environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The environment of each process, with its own identity and certificate."""
    users: dict[str, Identity] = {"kubelet": identities.kubelet(settings.node_name), "proxy": identities.PROXY}
    return {
        service: {
            **environ,
            f"{PREFIX}IDENTITY": user.user,
            f"{PREFIX}NATS_CERT_FILE": str(settings.keys_dir / f"{user.file}.crt"),
            f"{PREFIX}NATS_KEY_FILE": str(settings.keys_dir / f"{user.file}.key"),
        }
        for service, user in users.items()
    }


async def keep_running(command: Sequence[str], environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run a command, again whenever it ends, until told to stop; then end it."""
    log = logs.Logger("node")
    loop = asyncio.get_running_loop()
    failures = 0
    while not stop.is_set():
        started = loop.time()
        process = await asyncio.create_subprocess_exec(*command, env=environ)
        ended = await _ended_or_stopped(process, stop)
        if ended is None:
            return
        failures = 0 if loop.time() - started >= STEADY_SECONDS else failures
        pause = pause_seconds(failures)
        failures += 1
        log.warning("ended, and is started again", command=command[-1], status=ended, pause_seconds=pause)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()


async def _ended_or_stopped(process: asyncio.subprocess.Process, stop: asyncio.Event) -> int | None:
    """Wait for the end of a process, and return its status; None if it was ended because of `stop`."""
    async with asyncio.TaskGroup() as tasks:
        waiting, stopping = tasks.create_task(process.wait()), tasks.create_task(stop.wait())
        await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            stopping.cancel()
            return waiting.result()
        process.terminate()
        await asyncio.wait((waiting,), timeout=STOP_SECONDS)
        if not waiting.done():
            process.kill()
    return None


async def run(settings: NodeSettings, environ: Mapping[str, str]) -> None:
    """Keep both processes running until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        for service, own in process_environments(settings, environ).items():
            tasks.create_task(keep_running((sys.executable, "-m", f"kubus_{service}"), own, stop))


def main(environ: Mapping[str, str]) -> int:
    """Run a node's processes; the exit code."""
    logs.configure("info", "text", "node")
    try:
        settings = read(NodeSettings, environ)
    except SettingsError as error:
        logs.Logger("node").error(str(error))
        return EXIT_CONFIG
    asyncio.run(run(settings, environ))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(os.environ))
