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
    (error,) = lifecycle_errors({"preStop": {}}, "l")
    assert str(error) == "l.preStop: Required value: must specify a handler type"
