"""Probes and hooks."""

from __future__ import annotations

import pytest

from kubus.model.validation.probes import handler_errors, lifecycle_errors, probe_errors

EXEC = {"exec": {"command": ["true"]}}


@pytest.mark.parametrize(
    "handler",
    [EXEC, {"httpGet": {"path": "/", "port": "http"}}, {"tcpSocket": {"port": 80}}, {"grpc": {"port": 80}}],
)
def test_one_handler_is_fine(handler):
    assert handler_errors(handler, "p") == []


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ({}, "p: Required value: must specify a handler type"),
        ({**EXEC, "tcpSocket": {"port": 80}}, "p.tcpSocket: Forbidden: may not specify more than 1 handler type"),
        ({"exec": {}}, "p.exec.command: Required value"),
        ({"httpGet": {"port": 80}}, "p.httpGet.path: Required value"),
        (
            {"httpGet": {"path": "/", "port": 0}},
            "p.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            {"httpGet": {"path": "/", "port": 80, "httpHeaders": [{"name": "a b", "value": "c"}]}},
            'p.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters '
            "or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
        ),
        (
            {"httpGet": {"path": "/", "port": 80, "scheme": "FTP"}},
            'p.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
        ),
    ],
)
def test_handlers(handler, expected):
    assert [str(error) for error in handler_errors(handler, "p")] == [expected]


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("readinessProbe", {"successThreshold": 2}, []),
        ("livenessProbe", {"successThreshold": 2}, ["p.successThreshold: Invalid value: 2: must be 1"]),
        (
            "livenessProbe",
            {"periodSeconds": -1},
            ["p.periodSeconds: Invalid value: -1: must be greater than or equal to 0"],
        ),
        (
            "readinessProbe",
            {"terminationGracePeriodSeconds": 5},
            ["p.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"],
        ),
    ],
)
def test_numbers_of_probes(name, fields, expected):
    assert [str(error) for error in probe_errors({**EXEC, **fields}, name, "p")] == expected


def test_hooks_are_handlers():
    (error,) = lifecycle_errors({"preStop": {}}, {}, "l")
    assert str(error) == "l.preStop: Required value: must specify a handler type"


@pytest.mark.parametrize(
    ("hooks", "spec", "expected"),
    [
        (
            {"preStop": {"sleep": {"seconds": 31}}},
            {"terminationGracePeriodSeconds": 30},
            [
                "l.preStop.sleep: Invalid value: 31: "
                "must be non-negative and less than terminationGracePeriodSeconds (30)"
            ],
        ),
        ({"preStop": {"sleep": {"seconds": 0}}}, {"terminationGracePeriodSeconds": 30}, []),
        (
            {"stopSignal": "SIGTERM"},
            {},
            ["l.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`"],
        ),
        ({"stopSignal": "SIGTERM"}, {"os": {"name": "linux"}}, []),
    ],
)
def test_hooks_know_their_pod(hooks, spec, expected):
    assert [str(error) for error in lifecycle_errors(hooks, spec, "l")] == expected
