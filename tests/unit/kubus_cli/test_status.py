"""The table of components."""

import json

import pytest

from kubus_cli.failures import NotRunning
from kubus_cli.status import aligned, as_json, as_table, collect, duration, megabytes

FOUND = {
    "name": "kubus",
    "api": "https://127.0.0.1:6443",
    "memoryBytes": 30_000_000,
    "components": [
        {
            "instance": "etcd",
            "state": "ready",
            "pid": 12,
            "uptimeSeconds": 61.2,
            "restarts": 0,
            "memoryBytes": 30_000_000,
            "reason": "",
        },
        {
            "instance": "relay",
            "state": "back-off",
            "pid": 0,
            "uptimeSeconds": 0,
            "restarts": 3,
            "memoryBytes": 0,
            "reason": "killed by signal 9",
        },
    ],
}


def test_a_table_says_what_runs_and_why_something_does_not():
    lines = as_table(FOUND).splitlines()
    assert lines[0].split() == ["COMPONENT", "STATE", "PID", "UPTIME", "RESTARTS", "MEMORY", "REASON"]
    assert lines[1].split() == ["etcd", "ready", "12", "1m1s", "0", "30.0", "MB"]
    assert lines[2].split() == ["relay", "back-off", "-", "-", "3", "-", "killed", "by", "signal", "9"]
    assert lines[-1] == "kubus: https://127.0.0.1:6443, 30.0 MB in all"


def test_json_is_for_programs():
    assert json.loads(as_json(FOUND)) == FOUND


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.9, "59s"), (200, "3m20s"), (7500, "2h5m"), (273_600, "3d4h")]
)
def test_durations_are_written_as_kubectl_does(seconds, text):
    assert duration(seconds) == text


def test_columns_are_aligned():
    assert aligned([("a", "bb"), ("ccc", "d")]) == "a     bb\nccc   d\n"
    assert megabytes(1_250_000) == "1.2 MB"


def test_a_cluster_that_does_not_run_is_said_so(cluster):
    with pytest.raises(NotRunning, match="'kubus' is not running"):
        collect(cluster)
