"""Containers: what is refused, field by field."""

from __future__ import annotations

import pytest

from kubus.model.defaults.pod_spec import set_container_defaults
from kubus.model.validation.containers import containers_errors, init_containers_errors


def _container(**fields):
    container = {"name": "c", "image": "i", **fields}
    set_container_defaults(container)
    return container


def _errors(*containers, volumes=("v",)):
    return [str(error) for error in containers_errors(list(containers), volumes, "p")]


FINE = _container(
    ports=[{"name": "http", "containerPort": 80, "hostPort": 8080}],
    env=[{"name": "A", "value": "b"}, {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
    envFrom=[{"prefix": "P_", "configMapRef": {"name": "m"}}],
    volumeMounts=[{"name": "v", "mountPath": "/v", "subPath": "a/b"}],
)


def test_an_ordinary_container_is_fine():
    assert _errors(FINE) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": ""}, "p[0].name: Required value"),
        ({"image": ""}, "p[0].image: Required value"),
        ({"image": " i"}, 'p[0].image: Invalid value: " i": must not have leading or trailing whitespace'),
        (
            {"imagePullPolicy": "Sometimes"},
            'p[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
        ),
        ({"ports": [{"name": "http"}]}, "p[0].ports[0].containerPort: Required value"),
        (
            {"ports": [{"containerPort": 70000}]},
            "p[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            {"ports": [{"containerPort": 1, "protocol": "ICMP"}]},
            'p[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
        ),
        (
            {"ports": [{"name": "a", "containerPort": 1}, {"name": "a", "containerPort": 2}]},
            'p[0].ports[1].name: Duplicate value: "a"',
        ),
        (
            {"ports": [{"hostPort": 9, "containerPort": 1}, {"hostPort": 9, "containerPort": 2}]},
            'p[0].ports[1].hostPort: Duplicate value: "TCP//9"',
        ),
        ({"env": [{"name": ""}]}, "p[0].env[0].name: Required value"),
        (
            {"env": [{"name": "A", "valueFrom": {}}]},
            'p[0].env[0].valueFrom: Invalid value: "": must specify one of: '
            "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        ),
        (
            {"env": [{"name": "A", "value": "b", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
            'p[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "s"}}}]},
            "p[0].env[0].valueFrom.configMapKeyRef.key: Required value",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.moon"}}}]},
            'p[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.moon": '
            "error converting fieldPath: field label not supported: spec.moon",
        ),
        ({"volumeMounts": [{"name": "w", "mountPath": "/w"}]}, 'p[0].volumeMounts[0].name: Not found: "w"'),
        ({"volumeMounts": [{"name": "v"}]}, "p[0].volumeMounts[0].mountPath: Required value"),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/v"}]},
            'p[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique',
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "../x"}]},
            "p[0].volumeMounts[0].subPath: Invalid value: \"../x\": must not contain '..'",
        ),
        (
            {"envFrom": [{}]},
            'p[0].envFrom[0]: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(fields, expected):
    assert _errors(_container(**fields)) == [expected]


def test_names_of_containers_are_unique():
    assert _errors(FINE, _container()) == ['p[1].name: Duplicate value: "c"']


def test_init_containers_have_no_probes_unless_they_are_sidecars():
    probe = {"exec": {"command": ["true"]}}
    plain = _container(name="i", livenessProbe=probe)
    (error,) = init_containers_errors([plain], [FINE], (), "p")
    assert str(error) == (
        "p[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
    )
    assert init_containers_errors([{**plain, "restartPolicy": "Always"}], [FINE], (), "p") == []


def test_init_containers_and_containers_share_their_names():
    (error,) = init_containers_errors([_container()], [FINE], (), "p")
    assert str(error) == 'p[0].name: Duplicate value: "c"'
