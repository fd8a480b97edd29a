"""What a request's head may not say, though its syntax is right.

The parser below refuses what is no HTTP/1 at all (two lengths, a length beside chunks, folded lines, blanks before a
colon). Here is what it lets through and RFC 9112 does not, or what this server does not do. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

HEAD_BYTES_MAX = 256 * 1024
TARGET_BYTES_MAX = 64 * 1024
FIELD_BYTES_MAX = 128 * 1024
FIELDS_MAX = 1024
"""Somebody who impersonates a user of many groups sends as many fields."""
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
"""RFC 3986's host and port, without a user; it may be empty."""
_ABSOLUTE = re.compile(r"https?://[^/?#]+", re.IGNORECASE)


class Fault(NamedTuple):
    """Why a request is refused."""

    code: int
    reason: str


def find_fault(version: tuple[int, int], target: str, fields: Sequence[tuple[bytes, bytes]]) -> Fault | None:
    """What is wrong with a head: its version, target and fields as they came; None if nothing is."""
    if version < (1, 0):
        return Fault(400, "malformed HTTP request: no version")
    if len(target) > TARGET_BYTES_MAX:
        return Fault(414, "the request target is too long")
    if not target.startswith("/") and target != "*" and not _ABSOLUTE.match(target):
        return Fault(400, "malformed HTTP request: the target is no path")
    if sum(len(name) + len(value) for name, value in fields) > HEAD_BYTES_MAX:
        return Fault(431, "the header fields are too large")
    values: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        values.setdefault(name.lower(), []).append(value)
    return _host_fault(version, values.get(b"host", [])) or _transfer_fault(version, values)


def path_and_query(target: str) -> str:
    """The path and query of a target; one in absolute form names the host too."""
    found = None if target.startswith("/") else _ABSOLUTE.match(target)
    if found is None:
        return target
    rest = target[found.end() :]
    return rest if rest.startswith("/") else f"/{rest}"


def _host_fault(version: tuple[int, int], hosts: list[bytes]) -> Fault | None:
    if not hosts and version >= (1, 1):
        return Fault(400, "missing required Host header")
    if len(hosts) > 1:
        return Fault(400, "too many Host headers")
    if hosts and not HOST.fullmatch(hosts[0].strip(b" \t")):
        return Fault(400, "malformed Host header")
    return None


def _transfer_fault(version: tuple[int, int], values: dict[bytes, list[bytes]]) -> Fault | None:
    codings = values.get(b"transfer-encoding", [])
    if codings and version < (1, 1):
        return Fault(400, "Transfer-Encoding in HTTP/1.0")
    if codings and [each.strip(b" \t").lower() for each in codings] != [b"chunked"]:
        return Fault(501, "unsupported transfer encoding")
    expected = values.get(b"expect", [])
    if expected and [each.strip(b" \t").lower() for each in expected] != [b"100-continue"]:
        return Fault(417, "unsupported expectation")
    return None
