"""Variables of containers, and where their values come from."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.validation.variables import env_errors, env_from_errors, resource_ref_errors

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
AMOUNTS = (
    '"limits.cpu", "limits.ephemeral-storage", "limits.memory", '
    '"requests.cpu", "requests.ephemeral-storage", "requests.memory"'
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels['app']"}}, []),
        ({"fieldRef": {"fieldPath": "metadata.name"}}, ["e[0].valueFrom.fieldRef.apiVersion: Required value"]),
        ({"fieldRef": {"apiVersion": "v1"}}, ["e[0].valueFrom.fieldRef.fieldPath: Required value"]),
        (
            {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels"}},
            [
                'e[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: '
                '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
                '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'
            ],
        ),
        (
            {"resourceFieldRef": {"resource": "limits.gold"}},
            [
                'e[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gold": '
                f"supported values: {AMOUNTS}"
            ],
        ),
        (
            {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2m"}},
            [
                'e[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": '
                "only divisor's values 1m and 1 are supported with the cpu resource"
            ],
        ),
        ({"configMapKeyRef": {"name": "m"}}, ["e[0].valueFrom.configMapKeyRef.key: Required value"]),
        (
            {"secretKeyRef": {"key": "k"}},
            [f'e[0].valueFrom.secretKeyRef.name: Invalid value: "": {SUBDOMAIN}'],
        ),
        (
            {"secretKeyRef": {"name": "s", "key": "k"}, "configMapKeyRef": {"name": "m", "key": "k"}},
            ['e[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'],
        ),
        (
            {"fileKeyRef": {"key": "k", "volumeName": "v", "path": "../f"}},
            ["e[0].valueFrom.fileKeyRef.path: Invalid value: \"../f\": must not contain '..'"],
        ),
    ],
)
def test_values_have_one_source_that_is_well_formed(source: Any, expected: list[str]) -> None:
    assert [str(error) for error in env_errors([{"name": "A", "valueFrom": source}], "e")] == expected


@pytest.mark.parametrize("name", ["1A", "a b", "a.b", "-", "..x"])
def test_names_may_be_nearly_anything(name: str) -> None:
    assert env_errors([{"name": name}], "e") == []


def test_names_have_no_equals_sign() -> None:
    assert [str(error) for error in env_errors([{"name": "a=b"}], "e")] == [
        'e[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII '
        "characters other than '='"
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"configMapRef": {"name": "m"}}, []),
        ({"configMapRef": {}}, ["e[0].configMapRef.name: Required value"]),
        ({"secretRef": {"name": "A"}}, [f'e[0].secretRef.name: Invalid value: "A": {SUBDOMAIN}']),
        ({}, ['e: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']),
        (
            {"configMapRef": {"name": "m"}, "secretRef": {"name": "s"}},
            ['e: Invalid value: "": may not have more than one field specified at a time'],
        ),
    ],
)
def test_whole_objects_as_sources(source: Any, expected: list[str]) -> None:
    assert [str(error) for error in env_from_errors([source], "e")] == expected


def test_a_volume_names_the_container_whose_amounts_it_shows() -> None:
    (error,) = resource_ref_errors({"resource": "limits.cpu"}, "r", of_volume=True)
    assert str(error) == "r.containerName: Required value"
