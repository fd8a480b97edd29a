"""What a head may not say, decided. The same over the wire is in `test_both_readers`."""

from __future__ import annotations

import pytest

from kubus_apiserver.doors.wellformed import HEAD_BYTES_MAX, TARGET_BYTES_MAX, find_fault, path_and_query

HOST = (b"Host", b"x")


@pytest.mark.parametrize(
    ("version", "target", "fields", "code"),
    [
        ((1, 1), "/", [HOST], 0),
        ((1, 0), "/", [], 0),
        ((1, 1), "*", [HOST], 0),
        ((0, 9), "/", [], 400),
        ((1, 1), "/", [], 400),
        ((1, 1), "/", [HOST, HOST], 400),
        ((1, 1), "/", [(b"hOST", b"a b")], 400),
        ((1, 1), "x", [HOST], 400),
        ((1, 1), "/" * (TARGET_BYTES_MAX + 1), [HOST], 414),
        ((1, 1), "/", [HOST, (b"X", b"x" * HEAD_BYTES_MAX)], 431),
        ((1, 1), "/", [HOST, (b"transfer-encoding", b" CHUNKED ")], 0),
        ((1, 1), "/", [HOST, (b"Transfer-Encoding", b"gzip, chunked")], 501),
        ((1, 0), "/", [(b"Transfer-Encoding", b"chunked")], 400),
        ((1, 1), "/", [HOST, (b"Expect", b"100-Continue")], 0),
        ((1, 1), "/", [HOST, (b"Expect", b"200-ok")], 417),
    ],
)
def test_faults_have_the_code_that_says_why(
    version: tuple[int, int], target: str, fields: list[tuple[bytes, bytes]], code: int
) -> None:
    fault = find_fault(version, target, fields)
    assert (fault.code if fault else 0) == code


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a?b=http://x/", "/a?b=http://x/"),
        ("http://x/a?b", "/a?b"),
        ("HTTPS://x:1/a", "/a"),
        ("http://x", "/"),
        ("http://x?b", "/?b"),
        ("*", "*"),
    ],
)
def test_an_absolute_target_is_its_path(target: str, path: str) -> None:
    assert path_and_query(target) == path
