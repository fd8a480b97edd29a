"""Definitions as OpenAPI schemas."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.schema import load_schemas
from kubus_apiserver.documents.openapi_schemas import GVK, REFERENCE, component_schemas

DEPLOYMENT = "io.k8s.api.apps.v1.Deployment"


@pytest.fixture(scope="module")
def components() -> dict[str, Any]:
    return component_schemas(load_schemas(), [DEPLOYMENT, "not.a.Definition"])


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"].removeprefix(REFERENCE)} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def test_every_reference_leads_somewhere(components: dict[str, Any]) -> None:
    assert _references(components) <= components.keys()


def test_a_kind_says_which_it_is(components: dict[str, Any]) -> None:
    assert components[DEPLOYMENT][GVK] == [{"group": "apps", "kind": "Deployment", "version": "v1"}]
    assert components[DEPLOYMENT]["description"].startswith("Deployment enables declarative updates")


def test_lists_say_how_they_merge(components: dict[str, Any]) -> None:
    containers = components["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["type"] == "array"
    assert containers["items"] == {"allOf": [{"$ref": f"{REFERENCE}io.k8s.api.core.v1.Container"}]}
    assert containers["x-kubernetes-patch-strategy"] == "merge"
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-list-type"] == "map"
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert "containers" in components["io.k8s.api.core.v1.PodSpec"]["required"]


def test_special_types_have_their_own_shape(components: dict[str, Any]) -> None:
    assert components["io.k8s.apimachinery.pkg.api.resource.Quantity"]["oneOf"] == [
        {"type": "string"},
        {"type": "number"},
    ]
    assert components["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["format"] == "int-or-string"
    assert components["io.k8s.apimachinery.pkg.apis.meta.v1.Time"]["format"] == "date-time"
    labels = components["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"]["labels"]
    assert labels["additionalProperties"] == {"type": "string"}
