"""The head of an HTTP answer: status line and headers, written by hand because they are few and known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

from kubus_apiserver.doors.answers import Answer

_SECOND = timedelta(seconds=1)
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

    def of(self, answer: Answer, keep: bool) -> bytes:
        """The head of an answer."""
        lines = [
            b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nCache-Control: no-cache, private\r\n"
            % (answer.code, _REASONS.get(answer.code, b"-"), answer.content_type.encode(), len(answer.body)),
            self.date,
        ]
        lines += [b'Warning: 299 - "%b"\r\n' % _quoted(each) for each in answer.warnings]
        if answer.retry_after_seconds:
            lines.append(b"Retry-After: %d\r\n" % answer.retry_after_seconds)
        if answer.encoding:
            lines.append(b"Content-Encoding: %b\r\n" % answer.encoding.encode())
        if answer.etag:
            lines.append(b'Etag: "%b"\r\nVary: Accept\r\n' % answer.etag.encode())
        if not keep:
            lines.append(b"Connection: close\r\n")
        lines.append(b"\r\n")
        return b"".join(lines)

    def of_watch(self, content_type: str) -> bytes:
        """The head of an answer that goes on."""
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nCache-Control: no-cache, private\r\n%b"
            b"Transfer-Encoding: chunked\r\n\r\n" % (content_type.encode(), self.date)
        )


def _quoted(text: str) -> bytes:
    clean = "".join(char if char.isprintable() else " " for char in text)
    return clean.replace("\\", "\\\\").replace('"', '\\"').encode(errors="replace")
