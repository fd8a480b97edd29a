"""Leave nothing behind, whatever becomes of a test process.

Fixtures take down what they made when tests pass and when they fail. They do not get that far when a process is
killed, when xdist ends its workers after Ctrl-C, or when a time-out ends the interpreter. So each process that runs
tests has a reaper: a child in a session of its own, which reads from a pipe what would have to be undone, and learns by
the pipe's end that nobody else will do it. It then runs the commands that are outstanding, the newest first, and kills
every process that was started with this test process' mark in its environment.

    REAPER.undo_later("cluster-1", ["kubus", "down", …])   # before it is made
    REAPER.forget("cluster-1")                             # after it has been taken down
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

MARK = "KUBUS_TESTS_OF"
UNDO_SECONDS_MAX = 120


class Reaper:
    """The test process' end of the pipe."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the child; processes that are started from here on bear the mark."""
        mark = uuid.uuid4().hex
        unmarked = {name: value for name, value in os.environ.items() if name != MARK}
        self._process = subprocess.Popen(
            [sys.executable, __file__, mark], stdin=subprocess.PIPE, start_new_session=True, env=unmarked
        )
        os.environ[MARK] = mark

    def undo_later(self, key: str, command: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        """Have a command run if this process ends without `forget`. `environ` is set on top of this process' own."""
        self._tell({"key": key, "command": list(command), "environ": dict(environ or {})})

    def forget(self, key: str) -> None:
        """There is nothing to undo any more."""
        self._tell({"key": key, "command": []})

    def _tell(self, message: dict[str, object]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()


REAPER = Reaper()


def marked_processes(mark: str) -> Iterator[int]:
    """Processes whose environment bears a mark."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
            except OSError:
                continue  # it ended meanwhile, or is somebody else's


def report(message: str) -> None:
    """Write a line to stderr, which may be a pipe that nobody reads any more."""
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), f"{message}\n".encode())


def main(mark: str) -> None:
    """Read until the test process ends; then undo what is outstanding."""
    outstanding: dict[str, dict[str, object]] = {}
    for line in sys.stdin.buffer:
        message = json.loads(line)
        outstanding.pop(message["key"], None)
        if message["command"]:
            outstanding[message["key"]] = message
    for key, message in reversed(outstanding.items()):
        report(f"left by a test, taken down: {key}")
        try:
            subprocess.run(
                message["command"],
                env={**os.environ, **message["environ"]},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=UNDO_SECONDS_MAX,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            report(f"{key} stays: {error}")
    while left := list(marked_processes(mark)):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
