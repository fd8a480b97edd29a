"""Protobuf bodies: what kubectl 1.32 really posts, an encoder to go both ways, and noise."""

from __future__ import annotations

import base64
import contextlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model import protobuf
from kubus.model.codec import DecodeError
from kubus.model.protobuf import decode
from kubus.model.protobuf_fields import MAGIC, tables
from kubus.model.schema import load_schemas

POSTED = {
    "create deployment web --image=nginx --replicas=0 --port=80": (
        "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoYBCAASDAoKCgNhcHASA3dlYhps"
        "ChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngSBW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIA"
        "QgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {
                        "containers": [
                            {"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}], "resources": {}}
                        ]
                    },
                },
                "strategy": {},
            },
            "status": {"replicas": 0},
        },
    ),
    "create ingress i --rule=foo.com/bar*=svc1:8080": (
        "azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJJChEKAWkSABoAIgAqADIAOABCABIwGi4KB2Zvby5jb20SIwohCh8KBC9iYXIS"
        "DyINCgRzdmMxEgUKABCQPxoGUHJlZml4GgIKABoAIgA=",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "i"},
            "spec": {
                "rules": [
                    {
                        "host": "foo.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/bar",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "svc1", "port": {"number": 8080}}},
                                }
                            ]
                        },
                    }
                ]
            },
            "status": {"loadBalancer": {}},
        },
    ),
    "create token default --duration=10m": (
        "azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMg2AQaBAoAEgAaACIA",
        {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {},
            "spec": {"expirationSeconds": 600},
            "status": {},
        },
    ),
    "auth can-i get pods": (
        "azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSPAoQCgASABoAIgAqADIAOABCABIeChwKB2Rl"
        "ZmF1bHQSA2dldBoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": {"namespace": "default", "verb": "get", "resource": "pods"}},
            "status": {"allowed": False},
        },
    ),
    "create quota q --hard=cpu=1,memory=1G": (
        "azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRIzChEKAXESABoAIgAqADIAOABCABIcCgoKA2NwdRIDCgExCg4KBm1lbW9yeRIECgIxRxoAGgAiAA==",
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q"},
            "spec": {"hard": {"cpu": "1", "memory": "1G"}},
            "status": {},
        },
    ),
    "create pdb p --selector=a=b --min-available=50%": (
        "azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSNgoRCgFwEgAaACIAKgAyADgAQgASFQoJCAEQABoDNTAlEggKBgoBYRIBYhoK"
        "CAAYACAAKAAwABoAIgA=",
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "p"},
            "spec": {"minAvailable": "50%", "selector": {"matchLabels": {"a": "b"}}},
        },
    ),
}


@pytest.mark.parametrize("command", POSTED)
def test_what_kubectl_posts_is_what_its_json_would_be(command: str) -> None:
    body, expected = POSTED[command]
    found = decode(base64.b64decode(body))
    assert {**found, "status": expected.get("status")} == {"status": None, **expected}
    group, _, version = found["apiVersion"].rpartition("/")
    definition = load_schemas().kinds()[group, version, found["kind"]]
    assert load_schemas().clean(definition, {key: value for key, value in found.items() if key != "status"})


# ------------------------------------------------------------------ an encoder, as plain as can be


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _wire(number: int, wire: int, payload: bytes) -> bytes:
    return _varint(number << 3 | wire) + (_varint(len(payload)) if wire == 2 else b"") + payload


def _encoded_value(number: int, type_: str, value: Any) -> bytes:
    if type_ in ("i", "l", "b"):
        return _wire(number, 0, _varint(int(value)))
    if type_ == "d":
        return _wire(number, 1, struct.pack("<d", value))
    return _wire(number, 2, _payload(type_, value))


def _payload(type_: str, value: Any) -> bytes:
    match type_:
        case "s":
            return str(value).encode()
        case "y":
            return base64.b64decode(value)
        case "@quantity":
            return _wire(1, 2, value.encode())
        case "@intstr" if isinstance(value, int):
            return _wire(1, 0, _varint(0)) + _wire(2, 0, _varint(value))
        case "@intstr":
            return _wire(1, 0, _varint(1)) + _wire(3, 2, value.encode())
        case "@time":
            return _wire(1, 0, _varint(value)) + _wire(2, 0, _varint(0))
        case "@json":
            return _wire(1, 2, json.dumps(value).encode())
        case "@items":
            return b"".join(_wire(1, 2, each.encode()) for each in value)
    return encoded(type_, value)


def encoded(message: str, obj: dict[str, Any]) -> bytes:
    """The message of an object."""
    out = b""
    for number, text in tables().messages[message].items():
        name, _, type_ = text.partition(" ")
        type_ = type_.removesuffix("?")
        if type_.startswith("<"):
            inner = {key: value for key, value in obj.items() if key in _names(type_[1:])}
            out += _encoded_value(int(number), type_[1:], inner) if inner else b""
        elif name in obj and type_.startswith("[]"):
            out += b"".join(_encoded_value(int(number), type_[2:], each) for each in obj[name])
        elif name in obj and type_.startswith("{}"):
            entries = [
                _encoded_value(1, "s", key) + _encoded_value(2, type_[2:], each) for key, each in obj[name].items()
            ]
            out += b"".join(_wire(int(number), 2, entry) for entry in entries)
        elif name in obj:
            out += _encoded_value(int(number), type_, obj[name])
    return out


def _names(message: str) -> set[str]:
    return {text.partition(" ")[0] for text in tables().messages[message].values()}


def enveloped(api_version: str, kind: str, raw: bytes, *, content_type: str = "", encoding: str = "") -> bytes:
    """The body of a message."""
    types = _wire(1, 2, api_version.encode()) + _wire(2, 2, kind.encode())
    tail = _wire(3, 2, encoding.encode()) + _wire(4, 2, content_type.encode())
    return MAGIC + _wire(1, 2, types) + _wire(2, 2, raw) + tail


def body_of(obj: dict[str, Any]) -> bytes:
    return enveloped(obj["apiVersion"], obj["kind"], encoded(tables().message_of(obj["apiVersion"], obj["kind"]), obj))


OBJECTS: list[dict[str, Any]] = [
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "p",
            "generation": 2**40,
            "annotations": {"a": "", "": "b"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u", "controller": False}],
            "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
        },
        "spec": {
            "hostNetwork": True,
            "hostUsers": False,
            "volumes": [{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {"name": "cm", "defaultMode": 0}}],
            "containers": [
                {
                    "name": "c",
                    "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}}],
                    "livenessProbe": {"httpGet": {"port": "web", "path": "/"}, "periodSeconds": 5},
                    "readinessProbe": {"tcpSocket": {"port": 80}},
                    "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                    "securityContext": {"runAsUser": 0, "runAsNonRoot": False, "runAsGroup": -1},
                }
            ],
            "tolerations": [{"tolerationSeconds": 0}],
        },
    },
    {"apiVersion": "v1", "kind": "Secret", "data": {"a": "AAECAw==", "b": ""}, "immutable": False},
    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"storageClassName": ""}},
    {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "p"},
        "deleteOptions": {"gracePeriodSeconds": 0},
    },
    {"apiVersion": "apps/v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground", "dryRun": ["All"]},
    {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 0}},
    {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"extra": {"k": ["a", "b"]}}},
    {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "versions": [
                {
                    "name": "v1",
                    "served": False,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "maximum": 1.5,
                            "minLength": 0,
                            "default": {"a": [1, None]},
                            "enum": ["a", 1],
                            "$ref": "#/x",
                            "x-kubernetes-preserve-unknown-fields": False,
                            "x-kubernetes-list-map-keys": ["a"],
                            "properties": {"a": {"nullable": True}},
                        }
                    },
                }
            ]
        },
    },
]


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: obj["kind"])
def test_what_was_encoded_is_decoded(obj: dict[str, Any]) -> None:
    assert decode(body_of(obj)) == obj


def _schema_body(field: int, payload: bytes) -> bytes:
    schema = _wire(1, 2, _wire(field, 2, payload))
    version = _wire(7, 2, b"") + _wire(1, 2, b"v1")
    names = tables().messages
    package = tables().versions["apiextensions.k8s.io/v1"]
    at = {text.split()[0]: int(number) for number, text in names[f"{package}.CustomResourceDefinitionVersion"].items()}
    versions = {text.split()[0]: int(n) for n, text in names[f"{package}.CustomResourceDefinitionSpec"].items()}
    version = _wire(1, 2, b"v1") + _wire(at["schema"], 2, schema)
    spec = _wire(versions["versions"], 2, version)
    return enveloped("apiextensions.k8s.io/v1", "CustomResourceDefinition", _wire(2, 2, spec))


@pytest.mark.parametrize(
    ("field", "name", "payload", "value"),
    [
        (30, "additionalProperties", _wire(1, 0, _varint(1)), True),
        (30, "additionalProperties", b"", False),
        (30, "additionalProperties", _wire(2, 2, _wire(5, 2, b"string")), {"type": "string"}),
        (24, "items", _wire(1, 2, _wire(5, 2, b"string")), {"type": "string"}),
        (24, "items", _wire(2, 2, b"") + _wire(2, 2, b""), [{}, {}]),
        (32, "dependencies", _wire(1, 2, b"k") + _wire(2, 2, _wire(2, 2, b"p")), {"k": ["p"]}),
        (32, "dependencies", _wire(1, 2, b"k") + _wire(2, 2, _wire(1, 2, b"")), {"k": {}}),
    ],
)
def test_schemas_that_may_be_something_else_are_decoded(field: int, name: str, payload: bytes, value: Any) -> None:
    version = decode(_schema_body(field, payload))["spec"]["versions"][0]
    assert version["schema"]["openAPIV3Schema"][name] == value


def test_times_are_rfc_3339_and_the_zero_time_is_no_time() -> None:
    meta = _wire(8, 2, _wire(1, 0, _varint(1_700_000_000)))
    assert decode(enveloped("v1", "Pod", _wire(1, 2, meta)))["metadata"] == {
        "creationTimestamp": "2023-11-14T22:13:20Z"
    }
    assert decode(enveloped("v1", "Pod", _wire(1, 2, _wire(8, 2, b""))))["metadata"] == {}
    lease = _wire(4, 2, _wire(1, 0, _varint(1)) + _wire(2, 0, _varint(1_500_000)))
    found = decode(enveloped("coordination.k8s.io/v1", "Lease", _wire(2, 2, lease)))
    assert found["spec"] == {"renewTime": "1970-01-01T00:00:01.001500Z"}


def test_a_list_holds_enveloped_objects() -> None:
    pod = enveloped("v1", "Pod", b"")
    items = _wire(2, 2, _wire(1, 2, pod)) + _wire(2, 2, _wire(1, 2, b'{"a":1}'))
    assert decode(enveloped("v1", "List", items))["items"] == [{"apiVersion": "v1", "kind": "Pod"}, {"a": 1}]


def test_packed_and_single_numbers_are_the_same_list() -> None:
    package = tables().versions["v1"]
    assert protobuf._items("l", 2, b"\x01\x80\x01", 0) == [1, 128]
    assert protobuf._items("l", 0, 7, 0) == [7]
    assert f"{package}.Pod" in tables().messages


def test_unknown_fields_are_passed_over() -> None:
    noise = _wire(999, 0, b"\x05") + _wire(998, 1, b"12345678") + _wire(997, 5, b"1234") + _wire(996, 2, b"x")
    assert decode(enveloped("v1", "Pod", noise)) == {"apiVersion": "v1", "kind": "Pod"}


def test_json_inside_the_envelope_is_taken_as_it_is() -> None:
    assert decode(enveloped("v1", "Pod", b'{"kind":"Pod"}', content_type="application/json")) == {"kind": "Pod"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected prefix"),
        (b"{}", "expected prefix"),
        (enveloped("v1", "Nothing", b""), 'no kind "Nothing" is registered for version "v1"'),
        (enveloped("x/v1", "Pod", b""), 'no kind "Pod" is registered for version "x/v1"'),
        (enveloped("v1", "Pod", b"", encoding="gzip"), "content encoding"),
        (enveloped("v1", "Pod", b"[]", content_type="application/json"), "not an object"),
        (enveloped("v1", "Pod", b"\x0a\x05"), "unexpected end"),
        (enveloped("v1", "Pod", b"\x0a"), "malformed"),
        (enveloped("v1", "Pod", b"\xff" * 12), "varint too long"),
        (enveloped("v1", "Pod", b"\x02\x00"), "field number 0"),
        (enveloped("v1", "Pod", b"\x0b"), "unknown protobuf wire type 3"),
        (enveloped("v1", "Pod", _wire(1, 0, b"\x01")), "wire type 0 where a message belongs"),
        (enveloped("v1", "Pod", _wire(1, 2, _wire(1, 0, b"\x01"))), "wire type 0 where 2 belongs"),
        (enveloped("v1", "Pod", _wire(1, 2, _wire(11, 0, b"\x01"))), "where a map entry belongs"),
        (enveloped("v1", "Pod", _wire(1, 2, _wire(1, 2, b"\xff"))), "malformed"),
        (enveloped("v1", "Pod", _wire(1, 2, _wire(8, 2, _wire(1, 0, _varint(2**60))))), "malformed"),
    ],
)
def test_what_is_no_body_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode(data)


def test_depth_is_bounded() -> None:
    body = enveloped("v1", "Pod", b"")
    for _ in range(500):
        body = enveloped("v1", "List", _wire(2, 2, _wire(1, 2, body)))
    with pytest.raises(DecodeError, match="nested too deeply"):
        decode(body)


@settings(max_examples=200)
@given(st.sampled_from(OBJECTS), st.integers(0, 400), st.binary(max_size=3))
def test_damaged_bytes_raise_nothing_but_a_decode_error(obj: dict[str, Any], at: int, damage: bytes) -> None:
    body = body_of(obj)
    at %= len(body)
    try:
        found = decode(body[:at] + damage + body[at + len(damage) :])
    except DecodeError:
        return
    assert isinstance(found, dict)


@given(st.binary(max_size=60))
def test_noise_raises_nothing_but_a_decode_error(data: bytes) -> None:
    for body in (MAGIC + data, enveloped("v1", "Pod", data), enveloped("apps/v1", "Deployment", data)):
        with contextlib.suppress(DecodeError):
            decode(body)
