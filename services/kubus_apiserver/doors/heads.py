"""The head of an HTTP answer: status line and headers, written by hand because they are few and known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

from kubus_apiserver.doors.answers import Answer, WatchAnswer

_SECOND, _YEAR = timedelta(seconds=1), timedelta(days=365)
_WARNINGS_CHARS_MAX, _WARNING_CHARS_MAX = 4096, 256
"""Of all warnings together, and of each once there are more."""
_REASONS = {each.value: each.phrase.encode() for each in HTTPStatus}


class Heads:
    """Writes heads; the Date is formatted once a second."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._second = datetime.min.replace(tzinfo=UTC)
        self._date = b""

    @property
    def date(self) -> bytes:
        """The Date header's line."""
        now = self._now()
        if not timedelta() <= now - self._second < _SECOND:
            self._second = second = now.replace(microsecond=0)
            self._date = b"Date: %b\r\n" % format_datetime(second.astimezone(UTC), usegmt=True).encode()
        return self._date

    @property
    def _for_ever(self) -> bytes:
        """A year, which is as long as caches count."""
        until = format_datetime((self._now() + _YEAR).astimezone(UTC), usegmt=True)
        return b"Cache-Control: public, immutable\r\nExpires: %b\r\n" % until.encode()

    def of(self, answer: Answer, keep: bool) -> bytes:
        """The head of an answer."""
        lines = [
            b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n"
            % (answer.code, _REASONS.get(answer.code, b"-"), answer.content_type.encode(), len(answer.body)),
            self._for_ever if answer.immutable else b"Cache-Control: no-cache, private\r\n",
            self.date,
            answer.marks,
        ]
        if answer.warnings:
            lines += [b'Warning: 299 - "%b"\r\n' % _quoted(each) for each in shortened(answer.warnings)]
        if answer.content_type.startswith("text/plain"):
            lines.append(b"X-Content-Type-Options: nosniff\r\n")
        if answer.retry_after_seconds:
            lines.append(b"Retry-After: %d\r\n" % answer.retry_after_seconds)
        if answer.encoding:
            lines.append(b"Content-Encoding: %b\r\n" % answer.encoding.encode())
        if answer.etag:
            lines.append(b'Etag: "%b"\r\nVary: Accept\r\n' % answer.etag.encode())
        if answer.location:
            lines.append(b"Location: %b\r\n" % answer.location.encode())
        if not keep:
            lines.append(b"Connection: close\r\n")
        lines.append(b"\r\n")
        return b"".join(lines)

    def of_watch(self, answer: WatchAnswer) -> bytes:
        """The head of an answer that goes on."""
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nCache-Control: no-cache, private\r\n%b%b"
            b"Transfer-Encoding: chunked\r\n\r\n" % (answer.content_type.encode(), self.date, answer.marks)
        )


def shortened(warnings: Iterable[str]) -> list[str]:
    """Each warning once; as much of them as a client's limits on headers can bear, cut short if they are many."""
    unique = list(dict.fromkeys(warnings))
    if sum(map(len, unique)) <= _WARNINGS_CHARS_MAX:
        return unique
    kept: list[str] = []
    size = 0
    for each in unique:
        if size >= _WARNINGS_CHARS_MAX:
            break
        kept.append(each[:_WARNING_CHARS_MAX])
        size += len(kept[-1])
    return kept


def _quoted(text: str) -> bytes:
    clean = "".join(char if char.isprintable() else " " for char in text)
    return clean.replace("\\", "\\\\").replace('"', '\\"').encode(errors="replace")
