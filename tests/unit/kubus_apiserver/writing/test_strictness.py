"""What a strict decoder says of bodies and patches, in Kubernetes' words and order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.schema import load_schemas
from kubus_apiserver.writing.strictness import patch_findings, strict_findings, yaml_error

URL = "/apis/apps/v1/namespaces/default/deployments"
DEPLOYMENT = b"""{
 "apiVersion": "apps/v1", "kind": "Deployment",
 "metadata": {"name": "d", "unknownMeta": 1, "labels": {"a": "b", "a": "c"}},
 "spec": {
  "unknown1": "x", "unknownDupe": "x", "unknownDupe": "y", "paused": true, "paused": false, "replicas": 1,
  "selector": {"matchLabels": {"app": "d"}},
  "template": {
   "metadata": {"labels": {"app": "d"}},
   "spec": {"containers": [
    {"name": "c", "image": "i", "unknownNested": {"x": 1, "x": 2},
     "imagePullPolicy": "Always", "imagePullPolicy": "Never"}
   ]}}}}"""
FOUND = (
    'unknown field "metadata.unknownMeta"',
    'duplicate field "metadata.labels.a"',
    'unknown field "spec.unknown1"',
    'unknown field "spec.unknownDupe"',
    'duplicate field "spec.paused"',
    'unknown field "spec.template.spec.containers[0].unknownNested"',
    'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
)
YAML = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: d, unknownMeta: 1}
spec:
  paused: true
  paused: false
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec:
      containers:
      - name: c
        image: i
        imagePullPolicy: Always
        imagePullPolicy: Never
"""
LINES = ('line 6: key "paused" already set in map', 'line 15: key "imagePullPolicy" already set in map')


def test_a_body_is_told_of_in_its_own_order() -> None:
    assert strict_findings(DEPLOYMENTS, DEPLOYMENT, json.loads(DEPLOYMENT), load_schemas()) == FOUND
    assert strict_findings(CONFIG_MAPS, b'{"data":{"a":"1"},"x":1}', {"data": {"a": "1"}, "x": 1}, load_schemas()) == ()


@pytest.mark.parametrize(
    ("patch_type", "data", "found"),
    [
        ("merge", b'{"spec":{"paused":true,"paused":false}}', ('duplicate field "spec.paused"',)),
        ("strategic", b'{"spec":{"paused":true}}', ()),
        (
            "json",
            b'[{"op":"add","path":"/a","value":1,"foo":2},{"op":"test","op":"add","path":"/b"}]',
            ('json patch duplicate field "[1].op"', 'json patch unknown field "[0].foo"'),
        ),
        ("json", b'{"a":1}', ()),
    ],
)
def test_patches_are_told_of_by_their_text(patch_type: str, data: bytes, found: tuple[str, ...]) -> None:
    assert patch_findings(patch_type, data, json.loads(data)) == found


def test_lines_of_yaml_are_one_error() -> None:
    assert yaml_error(["line 2: x", "line 3: y"]) == "yaml: unmarshal errors:\n  line 2: x\n  line 3: y"


async def test_a_json_body_is_refused_warned_of_or_taken(api) -> None:
    strict = await api("POST", f"{URL}?fieldValidation=Strict", DEPLOYMENT)
    assert (strict.code, strict.body["reason"]) == (400, "BadRequest")
    assert strict.message == (
        f'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: {", ".join(FOUND)}'
    )
    warned = await api("POST", URL, DEPLOYMENT)
    assert (warned.code, warned.answer.warnings) == (201, FOUND)
    assert warned.body["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "Never"
    ignored = await api("PUT", f"{URL}/d?fieldValidation=Ignore", DEPLOYMENT)
    assert (ignored.code, ignored.answer.warnings) == (200, ())


async def test_a_yaml_body_names_the_lines(api) -> None:
    media = "application/yaml"
    strict = await api("POST", f"{URL}?fieldValidation=Strict", YAML, content_type=media)
    assert strict.message.endswith(
        'strict decoding error: yaml: unmarshal errors:\n  line 6: key "paused" already set in map\n'
        '  line 15: key "imagePullPolicy" already set in map, unknown field "metadata.unknownMeta"'
    )
    warned = await api("POST", URL, YAML, content_type=media)
    assert warned.answer.warnings == (*LINES, 'unknown field "metadata.unknownMeta"')
    assert warned.body["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "Never"
    assert (await api("PUT", f"{URL}/d?fieldValidation=Ignore", YAML, content_type=media)).answer.warnings == ()


@pytest.mark.parametrize(
    ("content_type", "body", "found"),
    [
        (
            "application/merge-patch+json",
            b'{"spec":{"paused":true,"paused":false,"foo":1}}',
            ('duplicate field "spec.paused"', 'unknown field "spec.foo"'),
        ),
        (
            "application/strategic-merge-patch+json",
            b'{"spec":{"paused":true,"paused":false,"foo":1}}',
            ('duplicate field "spec.paused"', 'unknown field "spec.foo"'),
        ),
        (
            "application/json-patch+json",
            b'[{"op":"add","path":"/spec/paused","path":"/spec/foo","value":true,"x":1}]',
            ('json patch duplicate field "[0].path"', 'json patch unknown field "[0].x"', 'unknown field "spec.foo"'),
        ),
    ],
)
async def test_patches_are_refused_warned_of_or_taken(api, content_type: str, body: Any, found: Any) -> None:
    await api("POST", f"{URL}?fieldValidation=Ignore", DEPLOYMENT)
    strict = await api("PATCH", f"{URL}/d?fieldValidation=Strict", body, content_type=content_type)
    assert (strict.code, strict.body["reason"]) == (422, "Invalid")
    assert strict.message.endswith(f"strict decoding error: {', '.join(found)}")
    warned = await api("PATCH", f"{URL}/d", body, content_type=content_type)
    assert (warned.code, warned.answer.warnings) == (200, found)
    ignored = await api("PATCH", f"{URL}/d?fieldValidation=Ignore", body, content_type=content_type)
    assert (ignored.code, ignored.answer.warnings) == (200, ())


async def test_an_apply_configuration_names_the_lines(api) -> None:
    body = YAML.replace(b", unknownMeta: 1", b"")
    media = "application/apply-patch+yaml"
    strict = await api("PATCH", f"{URL}/d?fieldManager=m&fieldValidation=Strict", body, content_type=media)
    assert strict.code == 400
    assert strict.message == (
        "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
        '  line 6: key "paused" already set in map\n  line 15: key "imagePullPolicy" already set in map'
    )
    warned = await api("PATCH", f"{URL}/d?fieldManager=m", body, content_type=media)
    assert (warned.code, warned.answer.warnings) == (201, LINES)
