"""Load comes from processes of its own: so that what a client costs is known, and stands beside what the servers cost.

A child is `python -m bench.<module> SPEC` with a JSON spec. It says `ready`, takes the line `go`, does its work until
that is done or the line `stop` comes, and writes its result as one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

READY = b"ready\n"
_LINE_BYTES_MAX = 1 << 26


class Child:
    """A load process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ready(self) -> None:
        """Wait until it has said so."""
        if await self._line() != READY:
            raise RuntimeError("a load process did not become ready")

    def go(self) -> None:
        """Let it begin."""
        self._write(b"go\n")

    def stop(self) -> None:
        """Let it end."""
        self._write(b"stop\n")

    async def result(self) -> dict[str, Any]:
        """What it found."""
        found = json.loads(await self._line())
        if not isinstance(found, dict):
            raise TypeError("a result is an object")
        return found

    def _write(self, data: bytes) -> None:
        if self._process.stdin is None:
            raise RuntimeError("started without stdin")
        self._process.stdin.write(data)

    async def _line(self) -> bytes:
        if self._process.stdout is None:
            raise RuntimeError("started without stdout")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a load process ended with {await self._process.wait()}")
        return line


@asynccontextmanager
async def child(module: str, spec: dict[str, Any]) -> AsyncIterator[Child]:
    """Run `bench.<module>` and wait until it is ready; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"bench.{module}",
        json.dumps(spec),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
    )
    try:
        made = Child(process)
        await made.ready()
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Parent:
    """The other end: what a load process has to say to who started it."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines

    async def started(self) -> None:
        """Say ready, and wait for the word."""
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        await self._lines.readline()

    async def stopped(self) -> None:
        """Wait for the word to end."""
        await self._lines.readline()


def run(work: Callable[[dict[str, Any], Parent], Awaitable[dict[str, Any]]]) -> None:
    """Be a child: the main of a load module."""
    import uvloop  # here: only load processes need it

    async def main() -> dict[str, Any]:
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        return await work(json.loads(sys.argv[1]), Parent(lines))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(main())
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
