"""Ingresses: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.ingressclasses import KIND as CLASSES
from kubus.model.kinds.ingresses import KIND
from kubus.testing.kinds import complaints, sent

BACKEND = {"service": {"name": "web", "port": {"number": 80}}}


def _ingress(path=None, **spec):
    entry = {"path": "/", "pathType": "Prefix", "backend": BACKEND, **(path or {})}
    return sent(KIND, spec={"rules": [{"host": "a.example.com", "http": {"paths": [entry]}}], **spec})


AT = "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        (_ingress(), []),
        (_ingress(rules=[], defaultBackend=BACKEND), []),
        (_ingress(rules=[{"host": "*.example.com"}]), []),
        (_ingress(rules=[]), ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"]),
        (_ingress({"pathType": None}), [f"{AT}.pathType: Required value: pathType must be specified"]),
        (_ingress({"path": "a"}), [f'{AT}.path: Invalid value: "a": must be an absolute path']),
        (_ingress({"path": "/a//b"}), [f"{AT}.path: Invalid value: \"/a//b\": must not contain '//'"]),
        (
            _ingress({"pathType": "Near"}),
            [
                f'{AT}.pathType: Unsupported value: "Near": supported values: '
                '"Exact", "ImplementationSpecific", "Prefix"'
            ],
        ),
        (
            _ingress({"backend": {"service": {"name": "web", "port": {}}}}),
            [f"{AT}.backend: Required value: port name or number is required"],
        ),
        (_ingress({"path": "/a/.."}), [f"{AT}.path: Invalid value: \"/a/..\": cannot end with '/..'"]),
        (
            _ingress({"backend": {}}),
            [f'{AT}.backend: Invalid value: "": resource or service backend is required'],
        ),
        (
            _ingress({"backend": {**BACKEND, "resource": {"kind": "K", "name": "n"}}}),
            [f'{AT}.backend: Invalid value: "": cannot set both resource and service backends'],
        ),
        (
            _ingress({"backend": {"resource": {"name": "a/b"}}}),
            [
                f"{AT}.backend.resource.kind: Required value: kind is required",
                f"{AT}.backend.resource.name: Invalid value: \"a/b\": may not contain '/'",
            ],
        ),
        (
            _ingress({"backend": {"service": {"port": {"number": 80}}}}),
            [f"{AT}.backend.service.name: Required value"],
        ),
        (
            _ingress({"backend": {"service": {"name": "web", "port": {"number": 80, "name": "http"}}}}),
            [f'{AT}.backend: Invalid value: "": cannot set both port name & port number'],
        ),
        (
            _ingress({"backend": {"service": {"name": "web", "port": {"name": "a_b"}}}}),
            [
                f'{AT}.backend.service.port.name: Invalid value: "a_b": '
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
            ],
        ),
        (
            _ingress({"backend": {"service": {"name": "web", "port": {"number": 70000}}}}),
            [f"{AT}.backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"],
        ),
        (_ingress(rules=[{"http": {}}]), ["spec.rules[0].http.paths: Required value"]),
        (
            _ingress(rules=[{"host": "192.0.2.1"}]),
            ['spec.rules[0].host: Invalid value: "192.0.2.1": must be a DNS name, not an IP address'],
        ),
    ],
)
def test_rules_and_backends(ingress, expected):
    assert complaints(KIND, ingress) == expected


def test_a_class_keeps_its_controller():
    old, new = (sent(CLASSES, spec={"controller": name}) for name in ("example.com/a", "example.com/b"))
    assert complaints(CLASSES, old) == []
    assert complaints(CLASSES, new, old) == ['spec.controller: Invalid value: "example.com/b": field is immutable']
    assert complaints(CLASSES, sent(CLASSES, spec={"controller": "nginx"})) == [
        'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")'
    ]
