"""From Podman's words to ours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubus_kubelet.inspections import EndNote, container_seen, start_error_words

LABELS = {"kubus.pod.uid": "u", "kubus.container": "app", "kubus.attempt": "2", "kubus.streak": "1"}


def inspection(status, **state):
    return {
        "Id": "c1",
        "Image": "abc",
        "ImageName": "localhost/a:1",
        "Config": {"Labels": LABELS},
        "State": {"Status": status, "StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z", **state},
    }


def test_a_running_container():
    found = container_seen(inspection("running", Pid=7, StartedAt="2026-01-31T12:00:00.123456789Z"), EndNote())
    assert (found.id, found.name, found.attempt, found.streak, found.step, found.pid) == (
        "c1",
        "app",
        2,
        1,
        "running",
        7,
    )
    assert found.started_at == datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)
    assert found.image_id == "sha256:abc"


@pytest.mark.parametrize(
    ("status", "state", "note", "expected"),
    [
        ("exited", {"ExitCode": 3}, EndNote(), ("exited", 3, "")),
        ("stopped", {"ExitCode": 0}, EndNote(), ("exited", 0, "")),
        ("exited", {"ExitCode": 137, "OOMKilled": True}, EndNote(), ("exited", 137, "OOMKilled")),
        ("exited", {"ExitCode": 137}, EndNote(reason="OOMKilled"), ("exited", 137, "OOMKilled")),
        ("created", {}, EndNote(), ("created", 0, "")),
        ("created", {}, EndNote(reason="StartError", message="no"), ("exited", 128, "StartError")),
        ("stopping", {"Pid": 3}, EndNote(), ("running", 0, "")),
    ],
)
def test_how_a_container_ended(status, state, note, expected):
    found = container_seen(inspection(status, **state), note)
    assert (found.step, found.exit_code, found.reason) == expected


def test_other_peoples_containers_are_none_of_ours():
    assert container_seen({"Id": "x", "Config": {"Labels": {"a": "b"}}}, EndNote()) is None


def test_start_errors_lose_the_layers_they_came_through():
    message = (
        'runc: runc create failed: unable to start container process: exec: "x": executable file not found in $PATH'
    )
    tail = ": OCI runtime attempted to invoke a command that was not found"
    assert start_error_words(message + tail) == (
        "failed to create container task: runc create failed: unable to start container process: "
        'exec: "x": executable file not found in $PATH'
    )
