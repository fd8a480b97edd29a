"""Lines of a container's log, as CRI runtimes write them; pure.

2026-01-31T12:00:00.123456789+00:00 stdout F a whole line
2026-01-31T12:00:00.123456789+00:00 stderr P the first part of a long one
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kubus.model.times import parse_time


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a log is asked for."""

    follow: bool = False
    timestamps: bool = False
    since: datetime | None = None
    tail: int | None = None
    limit_bytes: int | None = None

    @classmethod
    def of(cls, options: dict[str, Any], now: datetime) -> Wanted:
        """What the query of a log request says."""
        since = None
        if options.get("sinceSeconds"):
            since = now - timedelta(seconds=int(options["sinceSeconds"]))
        elif options.get("sinceTime"):
            since = parse_time(str(options["sinceTime"]))
        return cls(
            follow=bool(options.get("follow")),
            timestamps=bool(options.get("timestamps")),
            since=since,
            tail=options.get("tailLines"),
            limit_bytes=options.get("limitBytes"),
        )


def shown(line: bytes, wanted: Wanted) -> bytes:
    """What is shown of one line of the file; b"" if it is too old or no log line."""
    parts = line.split(b" ", 3)
    if len(parts) < 4:
        return b""
    stamp, _, tag, text = parts
    if wanted.since is not None and moment(stamp) < wanted.since:
        return b""
    if tag.startswith(b"P"):
        text = text.removesuffix(b"\n")
    return stamp.replace(b"+00:00", b"Z") + b" " + text if wanted.timestamps else text


def moment(stamp: bytes) -> datetime:
    """The time of a line; nine digits are more than Python reads.

    Raises:
        ValueError
    """
    text = stamp.decode("ascii", "replace")
    head, _, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return parse_time(f"{head}.{digits[:6] or '0'}{rest[len(digits) :] or 'Z'}")


def tail_offset(data: bytes, lines: int) -> int:
    """Where the last so many lines of a text begin."""
    if lines <= 0:
        return len(data)
    at = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(lines):
        at = data.rfind(b"\n", 0, max(0, at))
        if at < 0:
            return 0
    return at + 1
