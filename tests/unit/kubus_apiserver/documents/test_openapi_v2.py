"""OpenAPI v2: everything in one document, in two forms that say the same, made once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubus_apiserver.documents.openapi import OpenApi
from kubus_apiserver.documents.openapi_v2 import parts, v2_schema
from kubus_apiserver.documents.openapi_v2_documents import OpenApiV2
from kubus_apiserver.documents.openapi_v2_protobuf import MEDIA

PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
REF = "#/components/schemas/"


@pytest.mark.parametrize(
    ("v3", "v2"),
    [
        ({"$ref": f"{REF}a.B"}, {"$ref": "#/definitions/a.B"}),
        ({"allOf": [{"$ref": f"{REF}a.B"}], "description": "d"}, {"$ref": "#/definitions/a.B", "description": "d"}),
        ({"oneOf": [{"type": "string"}, {"type": "number"}]}, {"type": "string"}),
        ({"items": {"allOf": [{"$ref": f"{REF}x"}]}}, {"items": {"$ref": "#/definitions/x"}}),
        ({"type": "object", "nullable": True, "properties": {"a": {}}}, {}),
        (
            {"type": "object", "required": ["a", "b"], "properties": {"a": {"nullable": True}, "b": {}}},
            {"type": "object", "required": ["b"], "properties": {"a": {}, "b": {}}},
        ),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {}}},
            {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        ),
        (
            {"x-kubernetes-preserve-unknown-fields": True, "x-kubernetes-embedded-resource": True, "properties": {}},
            {"x-kubernetes-preserve-unknown-fields": True, "x-kubernetes-embedded-resource": True},
        ),
        (
            {"additionalProperties": {"type": "number"}, "x-k": 1},
            {"additionalProperties": {"type": "number"}, "x-k": 1},
        ),
    ],
)
def test_a_schema_is_said_in_the_older_dialect(v3, v2):
    assert v2_schema(v3) == v2


def test_a_definition_that_keeps_unknown_fields_names_none():
    keeping = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"spec": {}}}
    kinds = [{"group": "g", "kind": "K", "version": "v1"}]
    schemas = {"a.K": {**keeping, "x-kubernetes-group-version-kind": kinds}, "a.L": {"properties": {"k": keeping}}}
    found = dict(parts([{"paths": {}, "components": {"schemas": schemas}}]))
    assert found["a.K"] == {"type": "object", "x-kubernetes-group-version-kind": kinds}
    assert found["a.L"]["properties"]["k"] == {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


async def test_the_document_names_every_reference(api):
    document = await api.ok("GET", "/openapi/v2")
    assert document["swagger"] == "2.0"
    assert set(_references(document)) <= {f"#/definitions/{name}" for name in document["definitions"]}
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" in patch["consumes"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "kind": "Deployment", "version": "v1"}
    deployment = document["definitions"]["io.k8s.api.apps.v1.Deployment"]
    assert deployment["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.apps.v1.DeploymentSpec"


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for inner in value.values() for each in _references(inner)]
    return [each for inner in value for each in _references(inner)] if isinstance(value, list) else []


async def test_who_has_the_document_is_told_so(api):
    etag = (await api("GET", "/openapi/v2")).answer.etag
    reply = await api("GET", "/openapi/v2", if_none_match=f'"{etag}"')
    assert (reply.code, reply.answer.body) == (304, b"")
    assert (await api("GET", "/openapi/v2", accept="text/html")).code == 406


async def test_it_is_made_once_for_all_who_ask(api):
    documents = OpenApi(api.core.registry, api.core.schemas)
    served = OpenApiV2(documents)
    first, second = await asyncio.gather(served.answer("*/*", ""), served.answer("application/json", ""))
    assert first.body is second.body


async def test_protobuf_says_the_same(api):
    json = await api.ok("GET", "/openapi/v2")
    reply = await api("GET", "/openapi/v2", accept=PROTOBUF)
    assert reply.answer.content_type == MEDIA
    document = _fields(reply.body)
    paths = [_fields(_fields(each)[2][0]) for each in document[8]]
    definitions = [_fields(_fields(each)[1][0]) for each in document[9]]
    assert {each[1][0].decode() for each in paths} == set(json["paths"])
    assert {each[1][0].decode() for each in definitions} == set(json["definitions"])
    by_name = {each[1][0].decode(): _fields(each[2][0]) for each in definitions}
    deployment = by_name["io.k8s.api.apps.v1.Deployment"]
    assert deployment[4][0].decode() == json["definitions"]["io.k8s.api.apps.v1.Deployment"]["description"]
    properties = {_fields(each)[1][0].decode() for each in _fields(deployment[25][0])[1]}
    assert properties == set(json["definitions"]["io.k8s.api.apps.v1.Deployment"]["properties"])


def _fields(data: bytes) -> dict[int, list[Any]]:
    """A message's fields by number: a plain reader of protobuf, knowing nothing of the types."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        shift = value = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 2:
            length = varint()
            found.setdefault(tag >> 3, []).append(data[at : at + length])
            at += length
        else:
            assert tag & 7 == 0
            found.setdefault(tag >> 3, []).append(varint())
    return found
