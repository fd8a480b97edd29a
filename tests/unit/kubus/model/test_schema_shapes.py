"""The shapes of built-in objects."""

from __future__ import annotations

import pytest

from kubus.model.cel.shapes import Shape
from kubus.model.schema import load_schemas
from kubus.model.schema_shapes import definition_shape

PATHS = [
    ("io.k8s.api.apps.v1.Deployment", "spec.replicas", "int"),
    ("io.k8s.api.apps.v1.Deployment", "metadata.creationTimestamp", "timestamp"),
    ("io.k8s.api.apps.v1.Deployment", "metadata.labels", "map"),
    ("io.k8s.api.apps.v1.Deployment", "spec.strategy.rollingUpdate.maxSurge", "dyn"),
    ("io.k8s.api.core.v1.Secret", "immutable", "bool"),
    ("io.k8s.api.core.v1.Pod", "spec.containers", "list"),
    ("io.k8s.api.core.v1.Event", "eventTime", "timestamp"),
]


@pytest.mark.parametrize(("definition", "path", "kind"), PATHS)
def test_a_field_has_the_type_of_the_schema(definition: str, path: str, kind: str) -> None:
    shape: Shape = definition_shape(load_schemas(), definition)
    for name in path.split("."):
        assert shape.fields is not None
        shape = shape.fields()[name]
    assert shape.kind == kind


def test_a_shape_may_hold_itself() -> None:
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    shape = definition_shape(load_schemas(), name)
    assert shape.fields is not None
    items = shape.fields()["properties"].items
    assert items is not None
    assert items.name == shape.name
