"""The OpenAPI index and documents."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from kubus.model.codec import from_json
from kubus.model.kinds import Kind, Registry, of
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.schema import load_schemas
from kubus_apiserver.documents.openapi import OpenApi, component_name

WIDGETS = Kind("stable.example.com", "v1", "Widget", "widgets", True, "")
WIDGET_SCHEMA = {"type": "object", "properties": {"spec": {"type": "object", "description": "What is wanted."}}}


@pytest.fixture
def registry() -> Registry:
    return Registry((DEPLOYMENTS, PODS, WIDGETS))


@pytest.fixture
def openapi(registry: Registry) -> OpenApi:
    return OpenApi(registry, load_schemas(), lambda kind: WIDGET_SCHEMA if kind == WIDGETS else None)


def document(openapi: OpenApi, path: str) -> dict[str, Any]:
    data = openapi.document(path)
    assert data is not None
    found = from_json(data)
    assert isinstance(found, dict)
    return found


def test_the_index_names_every_group_version_with_a_hash(openapi: OpenApi) -> None:
    paths = openapi.index()["paths"]
    assert set(paths) == {"api/v1", "apis/apps/v1", "apis/stable.example.com/v1"}
    for path, entry in paths.items():
        assert entry["serverRelativeURL"] == f"/openapi/v3/{path}?hash={openapi.digest(path)}"


def test_different_group_versions_have_different_hashes(openapi: OpenApi, registry: Registry) -> None:
    registry.add(of(DEPLOYMENTS, version="v2"))
    assert openapi.digest("apis/apps/v1") != openapi.digest("apis/apps/v2")


def test_a_document_describes_its_kinds(openapi: OpenApi) -> None:
    found = document(openapi, "apis/apps/v1")
    assert found["openapi"] == "3.0.0"
    assert "/apis/apps/v1/namespaces/{namespace}/deployments/{name}" in found["paths"]
    schemas = found["components"]["schemas"]
    assert {"io.k8s.api.apps.v1.Deployment", "io.k8s.api.apps.v1.DeploymentList"} <= schemas.keys()
    assert "io.k8s.api.apps.v1.DaemonSet" not in schemas


def test_a_custom_resource_is_described_by_its_own_schema(openapi: OpenApi) -> None:
    schemas = document(openapi, "apis/stable.example.com/v1")["components"]["schemas"]
    widget = schemas["com.example.stable.v1.Widget"]
    assert component_name(WIDGETS) == "com.example.stable.v1.Widget"
    assert widget["properties"]["spec"] == {"type": "object", "description": "What is wanted."}
    assert widget["properties"]["kind"]["type"] == "string"
    assert widget["x-kubernetes-group-version-kind"][0]["kind"] == "Widget"
    assert schemas["com.example.stable.v1.WidgetList"]["required"] == ["items"]


@pytest.mark.parametrize(("field", "words"), [("apiVersion", "#resources"), ("kind", "#types-kinds")])
def test_a_custom_resources_type_is_described_as_any_others(openapi: OpenApi, field: str, words: str) -> None:
    custom = document(openapi, "apis/stable.example.com/v1")["components"]["schemas"]["com.example.stable.v1.Widget"]
    built_in = document(openapi, "api/v1")["components"]["schemas"]["io.k8s.api.core.v1.Pod"]
    described = custom["properties"][field]["description"]
    assert described == built_in["properties"][field]["description"] and described.endswith(words)
    metadata = [each["properties"]["metadata"]["description"] for each in (custom, built_in)]
    assert metadata[0] == metadata[1]


def test_embedded_objects_have_the_fields_of_all_objects() -> None:
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"a": {"type": "string"}}}
    lists = {"type": "object", "properties": {"items": {"type": "array", "items": embedded}}}
    openapi = OpenApi(Registry((WIDGETS,)), load_schemas(), lambda _kind: lists)
    schemas = document(openapi, "apis/stable.example.com/v1")["components"]["schemas"]
    found = schemas["com.example.stable.v1.Widget"]["properties"]["items"]["items"]
    assert found["properties"].keys() == {"a", "apiVersion", "kind", "metadata"}
    assert found["required"] == ["kind", "apiVersion"]


def test_every_reference_leads_somewhere(openapi: OpenApi) -> None:
    for path in openapi.index()["paths"]:
        text = openapi.document(path)
        assert text is not None
        schemas = from_json(text)["components"]["schemas"]
        references = {part.split(b'"')[0].decode() for part in text.split(b'"#/components/schemas/')[1:]}
        assert references <= schemas.keys(), path


def test_a_document_that_is_not_there_is_none(openapi: OpenApi) -> None:
    assert openapi.document("apis/nowhere/v1") is None
    assert openapi.digest("apis/nowhere/v1") is None


def test_a_document_is_kept_compressed_until_its_kinds_change(openapi: OpenApi, registry: Registry) -> None:
    first = openapi.document_gzip("api/v1")
    assert first is not None
    assert openapi.document_gzip("api/v1") is first
    assert gzip.decompress(first) == openapi.document("api/v1")
    before = openapi.digest("apis/apps/v1")
    registry.add(of(DEPLOYMENTS, subresources=("restart",)))
    assert openapi.digest("apis/apps/v1") != before
    assert openapi.document_gzip("api/v1") is first
    registry.remove(WIDGETS)
    assert "apis/stable.example.com/v1" not in openapi.index()["paths"]
