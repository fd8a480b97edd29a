"""Commands in running containers: `runc exec`, with pipes or a terminal.

Through Podman's API the same takes twice as long and leaves a process behind for each. What runc itself has to say
(no such program, no such user) goes to a log of its own, so that it is not mistaken for the command's output or code.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
import termios
from dataclasses import dataclass
from pathlib import Path

from kubus.model.codec import from_json

OUTPUT_LIMIT = 256 * 1024


@dataclass
class Command:
    """A running command and its streams; with a terminal stderr is None and stdin and stdout are the terminal."""

    process: asyncio.subprocess.Process
    stdout: asyncio.StreamReader | None
    stderr: asyncio.StreamReader | None
    stdin: asyncio.StreamWriter | None
    log: Path
    terminal: int = -1

    def resize(self, width: int, height: int) -> None:
        """Tell the terminal its size."""
        if self.terminal >= 0:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(28)  # SIGWINCH: runc hands the size on

    def refusal(self) -> str:
        """Why runc could not start the command; "" if it did."""
        with contextlib.suppress(OSError, ValueError):
            lines = self.log.read_text().splitlines()
            for line in reversed(lines):
                entry = from_json(line)
                if entry.get("level") == "error":
                    return str(entry.get("msg"))
        return ""

    async def aclose(self) -> None:
        """End it, if it still runs, and clean up."""
        if self.stdin is not None:
            self.stdin.close()
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()
        if self.terminal >= 0:
            os.close(self.terminal)
        self.log.unlink(missing_ok=True)


async def start(container_id: str, command: list[str], log: Path, *, stdin: bool, tty: bool) -> Command:
    """Start a command in a container."""
    options = ("--tty", "--env", "TERM=xterm") if tty else ()
    line = ("runc", "--log", str(log), "--log-format", "json", "exec", *options, container_id, *command)
    if tty:
        return await _with_terminal(line, log)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *line,
        stdin=pipe if stdin else asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        limit=OUTPUT_LIMIT,
        start_new_session=True,
    )
    return Command(process, process.stdout, process.stderr, process.stdin, log)


async def _with_terminal(line: tuple[str, ...], log: Path) -> Command:
    ours, theirs = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *line, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=OUTPUT_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(ours), "rb", 0))
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(os.dup(ours), "wb", 0)
    )
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    return Command(process, reader, None, writer, log, terminal=ours)
