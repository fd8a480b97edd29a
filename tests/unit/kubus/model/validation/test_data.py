"""ConfigMaps and Secrets: what is refused."""

from __future__ import annotations

from base64 import b64encode

import pytest

from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.secrets import KIND as SECRETS
from kubus.testing.kinds import complaints, created, sent


def _text(value):
    return b64encode(value.encode()).decode()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"data": {"a.b_c-d": "x"}, "binaryData": {"e": "AA=="}}, []),
        (
            {"data": {"a": ""}, "binaryData": {"a": ""}},
            ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
        ),
        ({"data": {"a": "x" * (1024 * 1024 + 1)}}, ["[]: Too long: may not be more than 1048576 bytes"]),
    ],
)
def test_config_maps(fields, expected):
    assert complaints(CONFIG_MAPS, sent(CONFIG_MAPS, **fields)) == expected


def test_keys_become_file_names():
    (error,) = complaints(CONFIG_MAPS, sent(CONFIG_MAPS, data={"a/b": ""}))
    assert error.startswith('data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric')


def test_a_sealed_config_map_stays_as_it_is():
    old = sent(CONFIG_MAPS, data={"a": "1"}, immutable=True)
    sealed = "Forbidden: field is immutable when `immutable` is set"
    assert complaints(CONFIG_MAPS, old, old) == []
    assert complaints(CONFIG_MAPS, sent(CONFIG_MAPS, data={"a": "2"}, immutable=True), old) == [f"data: {sealed}"]
    assert complaints(CONFIG_MAPS, sent(CONFIG_MAPS, data={"a": "1"}), old) == [f"immutable: {sealed}"]


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("kubernetes.io/tls", {"tls.crt": "", "tls.key": ""}, []),
        ("kubernetes.io/tls", {"tls.crt": ""}, ["data[tls.key]: Required value"]),
        ("kubernetes.io/basic-auth", {}, ["data[username]: Required value", "data[password]: Required value"]),
        ("kubernetes.io/ssh-auth", {}, ["data[ssh-privatekey]: Required value"]),
        ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": _text("{}")}, []),
        (
            "kubernetes.io/dockerconfigjson",
            {".dockerconfigjson": _text("{")},
            ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character'],
        ),
        (
            "kubernetes.io/service-account-token",
            {},
            ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
        ),
        ("example.com/anything", {}, []),
    ],
)
def test_types_of_secrets_want_their_keys(kind, data, expected):
    assert complaints(SECRETS, sent(SECRETS, type=kind, data=data)) == expected


def test_a_secret_keeps_its_type():
    old, new = created(SECRETS, sent(SECRETS)), created(SECRETS, sent(SECRETS, type="t"))
    assert complaints(SECRETS, new, old) == ['type: Invalid value: "t": field is immutable']
