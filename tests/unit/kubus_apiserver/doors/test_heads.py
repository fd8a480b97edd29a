"""The head of an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kubus.model.kinds.configmaps import KIND
from kubus_apiserver.calls import ReadOptions
from kubus_apiserver.doors.answers import Answer, WatchAnswer
from kubus_apiserver.doors.heads import Heads, shortened
from kubus_apiserver.reading.representations import PLAIN_VIEW
from kubus_apiserver.reading.selection import selection
from kubus_apiserver.reading.watches import Scope
from kubus_apiserver.reading.watchstreams import Start

START = Start(Scope(KIND, "", selection(KIND, ReadOptions()), PLAIN_VIEW), ReadOptions(), [], 1, marks_end=False)


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
    assert b"19:01:04" in heads.of_watch(WatchAnswer(START, "application/json", b"Audit-Id: a\r\n"))
    assert b"Audit-Id: b\r\n" in heads.of(Answer(200, b"", marks=b"Audit-Id: b\r\n"), keep=True)
    assert b"X-Content-Type-Options: nosniff" in heads.of(Answer(200, b"ok", "text/plain; charset=utf-8"), keep=True)


def test_warnings_stay_within_what_clients_take_as_headers():
    assert shortened(["a", "b", "a"]) == ["a", "b"]
    assert shortened(["x" * 4096]) == ["x" * 4096]
    many = shortened([f"{number} {'y' * 300}" for number in range(10_000)])
    assert 4096 <= sum(map(len, many)) < 4096 + 256
    assert {len(each) for each in many} == {256}
