"""What a pod refers to."""

from __future__ import annotations

import base64

import pytest

from kubus_kubelet.references import ConfigError, Reference, Resolved, field_value, object_data, references


def test_every_place_that_names_a_config_map_or_secret_is_found():
    pod = {
        "spec": {
            "initContainers": [{"name": "i", "envFrom": [{"secretRef": {"name": "s1"}}]}],
            "containers": [
                {
                    "name": "c",
                    "envFrom": [{"configMapRef": {"name": "c1"}}],
                    "env": [
                        {"name": "A", "value": "x"},
                        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c2", "key": "k"}}},
                        {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s2", "key": "k"}}},
                    ],
                }
            ],
            "volumes": [
                {"name": "a", "configMap": {"name": "c3"}},
                {"name": "b", "secret": {"secretName": "s3"}},
                {
                    "name": "c",
                    "projected": {"sources": [{"configMap": {"name": "c4"}}, {"secret": {"name": "s4"}}]},
                },
                {"name": "d", "emptyDir": {}},
            ],
        }
    }
    maps = {Reference("configmap", f"c{number}") for number in range(1, 5)}
    assert references(pod) == maps | {Reference("secret", f"s{number}") for number in range(1, 5)}


def test_binary_data_and_secrets_are_decoded():
    encoded = base64.b64encode(b"\xff\x00").decode()
    assert object_data("configmap", {"data": {"a": "é"}, "binaryData": {"b": encoded}}) == {
        "a": "é".encode(),
        "b": b"\xff\x00",
    }
    assert object_data("secret", {"data": {"b": encoded}}) == {"b": b"\xff\x00"}
    with pytest.raises(ConfigError):
        object_data("secret", {"data": {"b": "!"}})


def test_maps_are_sorted_and_quoted():
    pod = {"metadata": {"annotations": {"b": 'say "hi"\n', "a": "\\"}}, "spec": {}}
    assert field_value("metadata.annotations", Resolved(pod=pod)) == 'a="\\\\"\nb="say \\"hi\\"\\n"'
