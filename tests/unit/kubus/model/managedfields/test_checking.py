"""What an apply refuses, in Kubernetes' words."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.managedfields.checking import config_errors
from kubus.model.managedfields.schema_types import SchemaTypes
from kubus.model.schema import load_schemas

DEPLOYMENT = SchemaTypes(load_schemas())["io.k8s.api.apps.v1.Deployment"]
POD = SchemaTypes(load_schemas())["io.k8s.api.core.v1.Pod"]


@pytest.mark.parametrize(
    ("config", "errors"),
    [
        ({"spec": {"replicas": 1, "selector": {"matchLabels": {}}}, "metadata": {"name": "x"}}, []),
        ({"spec": {"replicas": None}, "metadata": None}, []),
        ({"foo": 1}, [".foo: field not declared in schema"]),
        ({"spec": {"foo": 1}}, [".spec.foo: field not declared in schema"]),
        (
            {"spec": {"replicas": "1"}},
            [".spec.replicas: expected numeric (int or float), got &value.valueUnstructured{Value:1}"],
        ),
        ({"spec": []}, [".spec: expected map, got &value.valueUnstructured{Value:[]}"]),
        ({"spec": {"selector": "x"}}, [".spec.selector: expected map, got &value.valueUnstructured{Value:x}"]),
        (
            {"metadata": {"labels": {"a": 1}}},
            [".metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}"],
        ),
        ({"spec": {"paused": 1}}, [".spec.paused: expected boolean, got &value.valueUnstructured{Value:1}"]),
    ],
)
def test_a_configuration_fits_its_type_or_says_where_not(config: Any, errors: list[str]) -> None:
    assert config_errors(DEPLOYMENT, config) == errors


def test_lists_take_no_duplicates_and_nothing_without_a_key() -> None:
    def errors(containers: Any) -> list[str]:
        return config_errors(POD, {"spec": {"containers": containers}})

    assert errors([{"name": "a"}, {"name": "a"}]) == ['.spec.containers: duplicate entries for key [name="a"]']
    assert errors([None]) == [".spec.containers: element 0: associative list with keys may not have a null element"]
    assert errors({}) == [".spec.containers: expected list, got &value.valueUnstructured{Value:map[]}"]
    assert errors([{"name": "a", "image": 3}]) == [
        '.spec.containers[name="a"].image: expected string, got &value.valueUnstructured{Value:3}'
    ]
