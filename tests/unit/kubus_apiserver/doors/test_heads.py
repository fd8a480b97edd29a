"""The head of an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kubus_apiserver.doors.answers import Answer
from kubus_apiserver.doors.heads import Heads


def test_a_head_says_what_follows_and_when():
    moment = datetime(2026, 11, 22, 19, 1, 2, 500, UTC)
    heads = Heads(lambda: moment)
    head = heads.of(Answer(200, b"{}", warnings=('say "x"\n',), etag="ABC", retry_after_seconds=3), keep=True)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Date: Sun, 22 Nov 2026 19:01:02 GMT\r\n" in head
    assert b'Warning: 299 - "say \\"x\\" "\r\n' in head
    assert b'Retry-After: 3\r\nEtag: "ABC"' in head
    assert b"Connection: close" in heads.of(Answer(404, b""), keep=False)
    moment += timedelta(seconds=2)
    assert b"19:01:04" in heads.of_watch("application/json")
