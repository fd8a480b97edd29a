"""Environments, with their expansion and errors."""

from __future__ import annotations

import base64

import pytest

from kubus_kubelet.environments import DEFAULT_PATH, environment, expand, runtime_environment
from kubus_kubelet.references import ConfigError, Reference, Resolved

POD = {
    "metadata": {"name": "web", "namespace": "default", "uid": "u", "labels": {"app": "web"}},
    "spec": {"nodeName": "n1", "containers": [{"name": "app", "resources": {"limits": {"memory": "1Gi"}}}]},
}


def resolved(**more):
    return Resolved(pod=POD, address="10.0.0.5", host_ip="192.168.0.1", node_cpu_millis=4000, **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$(A)", "1"),
        ("x$(A)y$(B)z", "x1y2z"),
        ("$(NONE)", "$(NONE)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A $", "$A $"),
        ("$(A", "$(A"),
        ("$(A))", "1)"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text, expected):
    assert expand(text, {"A": "1", "B": "2"}) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "web"),
        ("metadata.namespace", "default"),
        ("metadata.uid", "u"),
        ("metadata.labels['app']", "web"),
        ("metadata.labels['none']", ""),
        ("spec.nodeName", "n1"),
        ("status.podIP", "10.0.0.5"),
        ("status.hostIP", "192.168.0.1"),
    ],
)
def test_fields_of_the_pod(path, expected):
    container = {"name": "app", "env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}]}
    assert environment(container, resolved()) == {"X": expected}


def test_later_entries_see_earlier_ones_and_env_wins_over_env_from():
    config = Reference("configmap", "c")
    container = {
        "name": "app",
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "c"}}],
        "env": [{"name": "P_a", "value": "own"}, {"name": "B", "value": "$(P_a)-$(LATER)"}, {"name": "LATER"}],
    }
    found = environment(container, resolved(objects={config: {"data": {"a": "1", "b": "2"}}}))
    assert found == {"P_a": "own", "P_b": "2", "B": "own-$(LATER)", "LATER": ""}


def test_secrets_are_decoded_and_what_is_optional_may_be_missing():
    secret = Reference("secret", "s")
    container = {
        "name": "app",
        "env": [
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "O", "valueFrom": {"secretKeyRef": {"name": "s", "key": "none", "optional": True}}},
            {"name": "P", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k", "optional": True}}},
        ],
        "envFrom": [{"configMapRef": {"name": "none", "optional": True}}],
    }
    data = {"data": {"k": base64.b64encode(b"v").decode()}}
    assert environment(container, resolved(objects={secret: data, Reference("configmap", "none"): None})) == {"S": "v"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "k"}}, 'configmap "none" not found'),
        ({"secretKeyRef": {"name": "none", "key": "k"}}, 'secret "none" not found'),
        ({"configMapKeyRef": {"name": "c", "key": "k"}}, "couldn't find key k in ConfigMap default/c"),
        ({"fieldRef": {"fieldPath": "spec.none"}}, "unsupported fieldPath: spec.none"),
    ],
)
def test_what_is_missing_is_said_in_kubernetes_words(value, message):
    container = {"name": "app", "env": [{"name": "X", "valueFrom": value}]}
    with pytest.raises(ConfigError) as error:
        environment(container, resolved(objects={Reference("configmap", "c"): {"data": {}}}))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("resource", "divisor", "expected"),
    [
        ("limits.memory", "1Mi", "1024"),
        ("limits.memory", None, str(2**30)),
        ("limits.cpu", "1", "4"),
        ("limits.cpu", "1m", "4000"),
        ("requests.cpu", "1m", "0"),
    ],
)
def test_resources_are_rounded_up_to_the_divisor_and_default_to_the_nodes(resource, divisor, expected):
    reference = {"containerName": "app", "resource": resource, **({"divisor": divisor} if divisor else {})}
    container = {"name": "app", "env": [{"name": "X", "valueFrom": {"resourceFieldRef": reference}}]}
    assert environment(container, resolved()) == {"X": expected}


@pytest.mark.parametrize(
    ("image", "variables", "tty", "expected"),
    [
        ([], {}, False, {"PATH": DEFAULT_PATH}),
        (["A=b=c", "PATH=/opt"], {}, False, {"A": "b=c", "PATH": "/opt"}),
        (["PATH=/opt"], {"PATH": "/own"}, False, {"PATH": "/own"}),
        ([], {}, True, {"PATH": DEFAULT_PATH, "TERM": "xterm"}),
        (["TERM=vt100"], {}, True, {"PATH": DEFAULT_PATH, "TERM": "xterm"}),
        ([], {"TERM": "dumb"}, True, {"PATH": DEFAULT_PATH, "TERM": "dumb"}),
    ],
)
def test_the_process_has_the_images_variables_a_path_and_a_terminal_type_where_it_has_one(
    image, variables, tty, expected
):
    assert runtime_environment(image, variables, tty=tty) == expected
