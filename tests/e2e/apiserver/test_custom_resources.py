"""Custom resources as a user of kubectl meets them."""

from __future__ import annotations

import shutil
import time

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        shutil.which("kubectl") is None or shutil.which("etcd") is None, reason="needs kubectl and etcd"
    ),
]

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: PLURAL, singular: SINGULAR, kind: KIND, shortNames: [SHORT], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Size, type: string, jsonPath: .spec.size}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    selectableFields: [{jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            description: What is wanted.
            required: [size]
            x-kubernetes-validations:
            - {rule: "self.replicas <= 10", messageExpression: "'ten at most, not ' + string(self.replicas)"}
            - {rule: "self.size == oldSelf.size", message: size is immutable}
            properties:
              size: {type: string, enum: [small, large], description: How big it is.}
              replicas: {type: integer, minimum: 0, default: 1}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties: {name: {type: string}, port: {type: integer, default: 80}}
          status:
            type: object
            properties:
              replicas: {type: integer}
              conditions: {type: array, items: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - name: v1beta1
    served: true
    storage: false
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
OBJECT = """
apiVersion: example.com/v1
kind: KIND
metadata: {name: NAME}
spec: {size: SIZE, replicas: REPLICAS}
"""


def defined(kind: str) -> str:
    """The definition of a kind, which each test has for itself."""
    singular = kind.lower()
    words = {"PLURAL": f"{singular}s", "SINGULAR": singular, "KIND": kind, "SHORT": f"{singular[:3]}x"}
    text = DEFINITION
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def made(kind: str, name: str = "a", size: str = "small", replicas: int = 1) -> str:
    """An object of a kind."""
    text = OBJECT.replace("KIND", kind).replace("NAME", name)
    return text.replace("SIZE", size).replace("REPLICAS", str(replicas))


async def test_an_object_can_be_made_within_a_second_of_its_kind(apiserver) -> None:
    result = await apiserver.kubectl("create", "-f", "-", stdin=defined("Quick"))
    assert result.code == 0, result.err
    created = time.monotonic()
    while (await apiserver.kubectl("create", "--validate=false", "-f", "-", stdin=made("Quick"))).code:
        assert time.monotonic() - created < 1, "not served within a second"
    assert time.monotonic() - created < 1


async def test_kubectl_gets_explains_and_finds_a_kind(apiserver) -> None:
    await apiserver.kubectl("create", "-f", "-", stdin=defined("Gadget"))
    waited = await apiserver.kubectl("wait", "--for=condition=Established", "crd/gadgets.example.com")
    assert waited.code == 0, waited.err
    assert (await apiserver.kubectl("apply", "-f", "-", stdin=made("Gadget"))).code == 0
    rows = (await apiserver.kubectl("get", "gadx", "-o", "wide")).out.splitlines()
    assert rows[0].split() == ["NAME", "SIZE", "READY", "AGE"]
    assert rows[1].split()[:2] == ["a", "small"]
    assert "gadget.example.com/a" in (await apiserver.kubectl("get", "all")).out
    explained = (await apiserver.kubectl("explain", "gadget.spec")).out
    assert "What is wanted." in explained
    assert "size\t<string> -required-" in explained
    assert "How big it is." in (await apiserver.kubectl("explain", "gadgets.spec.size")).out
    listed = (await apiserver.kubectl("api-resources", "--api-group=example.com", "-o", "wide")).out
    assert "gadgets" in listed
    assert "gadx" in listed
    chosen = await apiserver.kubectl("get", "gadgets", "--field-selector", "spec.size=large")
    assert "No resources found" in chosen.err


async def test_kubectl_is_told_what_is_wrong(apiserver) -> None:
    await apiserver.kubectl("create", "-f", "-", stdin=defined("Strict"))
    await apiserver.kubectl("wait", "--for=condition=Established", "crd/stricts.example.com")
    refused = await apiserver.kubectl("apply", "-f", "-", stdin=made("Strict", size="tiny"))
    assert 'spec.size: Unsupported value: "tiny": supported values: "small", "large"' in refused.err
    refused = await apiserver.kubectl("apply", "-f", "-", stdin=made("Strict", replicas=11))
    assert "ten at most, not 11" in refused.err
    unknown = made("Strict").replace("size: small", "size: small, colour: red")
    refused = await apiserver.kubectl("apply", "-f", "-", stdin=unknown)
    assert 'strict decoding error: unknown field "spec.colour"' in refused.err
    warned = await apiserver.kubectl("apply", "--validate=warn", "-f", "-", stdin=unknown)
    assert warned.code == 0
    assert 'Warning: unknown field "spec.colour"' in warned.err
    refused = await apiserver.kubectl("apply", "-f", "-", stdin=made("Strict", size="large"))
    assert "size is immutable" in refused.err


async def test_kubectl_changes_objects_in_every_way(apiserver) -> None:
    await apiserver.kubectl("create", "-f", "-", stdin=defined("Change"))
    await apiserver.kubectl("wait", "--for=condition=Established", "crd/changes.example.com")
    assert (await apiserver.kubectl("apply", "-f", "-", stdin=made("Change"))).code == 0
    assert "configured" in (await apiserver.kubectl("apply", "-f", "-", stdin=made("Change", replicas=2))).out
    assert (await apiserver.kubectl("scale", "change/a", "--replicas=3")).code == 0
    merge = '{"spec":{"ports":[{"name":"http"}]}}'
    assert (await apiserver.kubectl("patch", "change", "a", "--type=merge", "-p", merge)).code == 0
    status = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
    patched = await apiserver.kubectl("patch", "change", "a", "--subresource=status", "--type=merge", "-p", status)
    assert patched.code == 0, patched.err
    assert (await apiserver.kubectl("wait", "--for=condition=Ready", "change/a", "--timeout=5s")).code == 0
    assert (await apiserver.kubectl("label", "change", "a", "x=y")).code == 0
    applied = await apiserver.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=made("Change"))
    assert applied.code == 0, applied.err
    obj = await apiserver.object("get", "changes.v1beta1.example.com", "a")
    assert obj["apiVersion"] == "example.com/v1beta1"
    assert obj["spec"]["replicas"] == 1
    assert obj["spec"]["ports"] == [{"name": "http", "port": 80}]


async def test_a_deleted_definition_takes_everything_with_it(apiserver) -> None:
    await apiserver.kubectl("create", "-f", "-", stdin=defined("Gone"))
    await apiserver.kubectl("wait", "--for=condition=Established", "crd/gones.example.com")
    await apiserver.kubectl("create", "-f", "-", stdin=made("Gone"))
    deleted = await apiserver.kubectl("delete", "crd", "gones.example.com", "--timeout=120s")
    assert deleted.code == 0, deleted.err
    assert "the server could not find the requested resource" in (await apiserver.kubectl("get", "gones")).err
    await apiserver.kubectl("create", "-f", "-", stdin=defined("Gone"))
    await apiserver.kubectl("wait", "--for=condition=Established", "crd/gones.example.com")
    assert "No resources found" in (await apiserver.kubectl("get", "gones")).err
