"""The audit log's file and its lines."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from kubus.model.codec import from_json
from kubus.service.logs import Logger
from kubus_apiserver.access.audit import AppendedFile, AuditLog
from kubus_apiserver.access.audit_policy import Deed, Policy, Rule
from kubus_apiserver.calls import User

BOB = User("bob", ("dev",), "7", (("a", ("b",)),))


def log(path: Path, clock: Any, level: str = "RequestResponse", metrics: Any = None, **policy: Any) -> AuditLog:
    file = AppendedFile(path, clock)
    return AuditLog(Policy((Rule(level),), **policy), file, clock, Random(1), log=Logger("audit"), metrics=metrics)


def lines(path: Path) -> list[Any]:
    return [from_json(line) for line in path.read_bytes().splitlines()]


def test_a_request_and_its_answer_are_two_lines_of_one_id(tmp_path: Path, clock: Any) -> None:
    path = tmp_path / "audit.log"
    recording = log(path, clock).begin(
        Deed(BOB, "create", "apps", "v1", "deployments/scale", "d", "web"), "/apis", agent="kubectl", source="1.2.3.4"
    )
    assert recording is not None
    recording.impersonated(User("eve"))
    recording.tell("ResponseComplete", code=201, request={"a": 1}, response={"b": 2})
    received, complete = lines(path)
    assert received["auditID"] == complete["auditID"]
    assert (received["stage"], complete["stage"]) == ("RequestReceived", "ResponseComplete")
    assert received["user"] == {"username": "bob", "groups": ["dev"], "uid": "7", "extra": {"a": ["b"]}}
    assert complete["impersonatedUser"]["username"] == "eve"
    assert complete["objectRef"] == {
        "resource": "deployments",
        "subresource": "scale",
        "namespace": "d",
        "name": "web",
        "apiGroup": "apps",
        "apiVersion": "v1",
    }
    assert (complete["requestObject"], complete["responseObject"]) == ({"a": 1}, {"b": 2})
    assert complete["responseStatus"]["code"] == 201
    assert complete["requestReceivedTimestamp"].startswith("2026-11-22T12:00:00")


def test_metadata_holds_no_objects(tmp_path: Path, clock: Any) -> None:
    path = tmp_path / "audit.log"
    recording = log(path, clock, "Metadata").begin(Deed(BOB, "create", "", "v1", "pods"), "/x")
    assert recording is not None and not recording.wants_request
    recording.tell("ResponseComplete", code=200, request={"a": 1}, response={"b": 2})
    assert all("requestObject" not in line and "responseObject" not in line for line in lines(path))


def test_what_the_policy_leaves_out_is_not_written(tmp_path: Path, clock: Any) -> None:
    path = tmp_path / "audit.log"
    assert log(path, clock, "None").begin(Deed(BOB, "get"), "/x") is None
    recording = log(path, clock, omitted_stages=frozenset({"RequestReceived"}), omit_managed_fields=True).begin(
        Deed(BOB, "get", "", "v1", "pods"), "/x"
    )
    assert recording is not None and recording.is_nameless
    recording.named({"name": "n", "uid": "u"})
    recording.tell("ResponseComplete", code=200, response={"metadata": {"name": "n", "managedFields": []}})
    (line,) = lines(path)
    assert line["responseObject"] == {"metadata": {"name": "n"}}
    assert line["objectRef"]["uid"] == "u"


def test_a_file_that_grew_too_large_is_set_aside(tmp_path: Path, clock: Any) -> None:
    file = AppendedFile(tmp_path / "audit.log", clock, bytes_max=10)
    for number in range(3):
        file.write(b"%d234567\n" % number)
    assert (
        sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"1234567\n", b"2234567\n"]
        or len(list(tmp_path.iterdir())) >= 2
    )
    assert (tmp_path / "audit.log").read_bytes() == b"2234567\n"
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file of this process grows beyond a size: a write gets a part of its bytes in, then an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_loses_lines_and_raises_nothing(
    tmp_path: Path, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path, metrics = tmp_path / "audit.log", CollectorRegistry()
    audit = log(path, clock, metrics=metrics)
    audit.write({"line": 1})
    with disk_of(path.stat().st_size + 10):
        for number in range(2, 6):
            audit.write({"line": number})
    audit.write({"line": 6})
    whole = [from_json(line) for line in path.read_bytes().splitlines() if line.endswith(b"}")]
    assert [line["line"] for line in whole] == [1, 6]
    assert metrics.get_sample_value("apiserver_audit_error_total") == 4
    assert [record.message for record in caplog.records] == [
        "the audit log cannot be written",
        "the audit log is written again",
    ]


def test_a_disk_that_takes_nothing_is_complained_about_once_a_minute(
    clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    audit = log(Path("/dev/full"), clock)
    for _ in range(3):
        audit.write({})
    assert len(caplog.records) == 1
    clock.at += timedelta(seconds=61)
    audit.write({})
    assert len(caplog.records) == 2


def test_a_file_that_cannot_be_set_aside_is_written_on(tmp_path: Path, clock: Any) -> None:
    directory = tmp_path / "log"
    directory.mkdir()
    file = AppendedFile(directory / "audit.log", clock, bytes_max=10)
    file.write(b"1234567\n")
    (directory / "audit.log").rename(tmp_path / "moved.log")
    directory.rmdir()
    with pytest.raises(OSError):
        file.write(b"2234567\n")
    directory.mkdir()
    (tmp_path / "moved.log").rename(directory / "audit.log")
    file.write(b"3234567\n")
    assert (directory / "audit.log").read_bytes() == b"3234567\n"
