"""A client of the supervisor's control socket; see `kubus_cli.supervisor` for what it understands."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

from kubus.model.codec import from_json, to_json
from kubus_cli.advice import command_for
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure, NotRunning, Silent
from kubus_cli.ownership import is_owner

CONTROL = "control.sock"


def ask(cluster: Cluster, request: dict[str, Any], *, timeout_seconds: float | None = 30.0) -> dict[str, Any]:
    """One request to a cluster's own supervisor, one answer.

    Raises:
        NotRunning: there is no supervisor of this cluster, whoever has its number now.
        Failure: what the supervisor says.
    """
    for answer in stream(cluster, request, timeout_seconds=timeout_seconds):
        return answer
    raise NotRunning("the supervisor ended", f"start it again: {command_for(cluster, 'up')}")


def stream(
    cluster: Cluster, request: dict[str, Any], *, timeout_seconds: float | None = None
) -> Iterator[dict[str, Any]]:
    """One request, every answer. `timeout_seconds` is the longest silence.

    Raises:
        NotRunning, Failure: as `ask`.
    """
    if not is_owner(cluster):
        raise _not_running(cluster)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(str(cluster.run_dir / CONTROL))
            connection.sendall(to_json(request) + b"\n")
            for line in connection.makefile("rb"):
                answer = from_json(line)
                if "error" in answer:
                    raise Failure(answer["error"])
                yield answer
        except TimeoutError:
            raise Silent(
                f"no news from the supervisor in {timeout_seconds:.0f} s",
                f"see {cluster.log_file('supervisor')}",
            ) from None
        except OSError:
            raise _not_running(cluster) from None


def _not_running(cluster: Cluster) -> NotRunning:
    return NotRunning(f"cluster {cluster.name!r} is not running", f"start it: {command_for(cluster, 'up')}")
