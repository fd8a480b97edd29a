"""A client of the supervisor's control socket; see `kubus_cli.supervisor` for what it understands."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubus.model.codec import from_json, to_json
from kubus_cli.failures import Failure, NotRunning

CONTROL = "control.sock"


def ask(run_dir: Path, request: dict[str, Any], *, timeout_seconds: float | None = 10.0) -> dict[str, Any]:
    """One request, one answer.

    Raises:
        NotRunning: there is no supervisor.
        Failure: what the supervisor says.
    """
    for answer in stream(run_dir, request, timeout_seconds=timeout_seconds):
        return answer
    raise NotRunning("the supervisor ended")


def stream(run_dir: Path, request: dict[str, Any], *, timeout_seconds: float | None = None) -> Iterator[dict[str, Any]]:
    """One request, every answer. `timeout_seconds` is the longest silence.

    Raises:
        NotRunning, Failure: as `ask`.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(str(run_dir / CONTROL))
            connection.sendall(to_json(request) + b"\n")
            for line in connection.makefile("rb"):
                answer = from_json(line)
                if "error" in answer:
                    raise Failure(answer["error"])
                yield answer
        except TimeoutError:
            raise Failure(f"no news from the supervisor in {timeout_seconds:.0f} s") from None
        except OSError:
            raise NotRunning("no cluster is running", "start one: kubus up") from None
