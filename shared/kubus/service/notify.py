"""Telling the supervisor: ready, not ready.

systemd's protocol (sd_notify): one datagram of `KEY=value` lines to the Unix socket that NOTIFY_SOCKET names. So a
supervisor waits for news instead of asking again and again, and systemd units work with `Type=notify` as they are.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from typing import NamedTuple

VARIABLE = "NOTIFY_SOCKET"


class Notice(NamedTuple):
    """What a process says of itself."""

    ready: bool
    status: str


def encode_notice(notice: Notice) -> bytes:
    """The datagram."""
    status = " ".join(notice.status.split())
    return f"READY={int(notice.ready)}\nSTATUS={status}\n".encode()


def decode_notice(data: bytes) -> Notice | None:
    """The notice of a datagram; None where it says nothing of readiness."""
    lines = dict(line.split("=", 1) for line in data.decode(errors="replace").splitlines() if "=" in line)
    return Notice(lines["READY"] == "1", lines.get("STATUS", "")) if "READY" in lines else None


def send_notice(environ: Mapping[str, str], notice: Notice) -> None:
    """Send, if anybody wants to know; a supervisor that is gone is no reason to fail."""
    path = environ.get(VARIABLE)
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(encode_notice(notice), address)
