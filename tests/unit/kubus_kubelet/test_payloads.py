"""What stands in volumes that the kubelet fills."""

from __future__ import annotations

import base64

import pytest

from kubus_kubelet.payloads import File, is_secret, only_user, payload, token_keys
from kubus_kubelet.references import ConfigError, Reference, Resolved

POD = {"metadata": {"name": "web", "namespace": "ns", "labels": {"a": "b"}}, "spec": {"containers": []}}
OBJECTS = {
    Reference("configmap", "c"): {"data": {"x": "1", "y": "2"}},
    Reference("secret", "s"): {"data": {"k": base64.b64encode(b"v").decode()}},
}


def files(volume, **more):
    return payload({"name": "v", **volume}, Resolved(pod=POD, objects=OBJECTS, **more))


def test_all_keys_or_the_items_that_are_named():
    assert files({"configMap": {"name": "c"}}) == {"x": File(b"1", 0o644), "y": File(b"2", 0o644)}
    items = [{"key": "y", "path": "d/y", "mode": 0o600}]
    assert files({"configMap": {"name": "c", "items": items, "defaultMode": 0o444}}) == {"d/y": File(b"2", 0o600)}
    assert files({"secret": {"secretName": "s", "defaultMode": 0o400}}) == {"k": File(b"v", 0o400)}


def test_a_projected_volume_is_the_sum_of_its_sources():
    sources = [
        {"configMap": {"name": "c", "items": [{"key": "x", "path": "x"}]}},
        {"secret": {"name": "s"}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
    ]
    found = files({"projected": {"sources": sources, "defaultMode": 0o440}}, tokens={("", 600): "t"})
    assert found == {
        name: File(data, 0o440) for name, data in {"x": b"1", "k": b"v", "name": b"web", "token": b"t"}.items()
    }


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        (
            {"configMap": {"name": "c", "items": [{"key": "z", "path": "z"}]}},
            "references non-existent configmap key: z",
        ),
    ],
)
def test_what_is_missing_is_an_error_unless_it_is_optional(volume, words):
    with pytest.raises(ConfigError, match=words):
        files(volume)
    kind = next(iter(volume))
    assert files({kind: {**volume[kind], "optional": True}}) == {}


def test_secrets_and_tokens_must_not_touch_a_disk():
    token = {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}
    assert is_secret({"secret": {}})
    assert is_secret(token)
    assert not is_secret({"configMap": {}})
    assert token_keys({"spec": {"volumes": [token, {"emptyDir": {}}]}}) == {("", 3600)}


@pytest.mark.parametrize(
    ("whole", "own", "expected"),
    [
        ({}, [{}], File(b"t", 0o644)),
        ({"runAsUser": 5}, [{}, {}], File(b"t", 0o600, 5)),
        ({"runAsUser": 5}, [{}, {"runAsUser": 6}], File(b"t", 0o644)),
        ({}, [{"runAsUser": 6}, {"runAsUser": 6}], File(b"t", 0o600, 6)),
        ({}, [{"runAsUser": 6}, {}], File(b"t", 0o644)),
        ({"runAsUser": 0}, [{}], File(b"t", 0o600, 0)),
        ({"fsGroup": 9}, [{}], File(b"t", 0o600)),
        ({"fsGroup": 9, "runAsUser": 5}, [{}], File(b"t", 0o600, 5)),
    ],
)
def test_a_token_is_readable_by_the_one_user_of_a_pod_or_its_group_alone(whole, own, expected):
    containers = [{"name": str(number), "securityContext": each} for number, each in enumerate(own)]
    pod = {**POD, "spec": {"securityContext": whole, "containers": containers[:1], "initContainers": containers[1:]}}
    volume = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    found = payload({"name": "v", **volume}, Resolved(pod=pod, tokens={("", 3600): "t"}))
    assert found == {"token": expected}
    assert only_user(pod) == expected.owner
