"""Containers: what is refused, field by field."""

from __future__ import annotations

import pytest

from kubus.model.defaults.pod_spec import set_container_defaults
from kubus.model.validation.containers import Around, containers_errors, init_containers_errors, padded_image_errors


def _container(**fields):
    container = {"name": "c", "image": "i", **fields}
    set_container_defaults(container)
    return container


def _errors(*containers, **spec):
    around = Around({"volumes": [{"name": "v", "emptyDir": {}}], "containers": list(containers), **spec})
    return [str(error) for error in containers_errors(list(containers), around, "p")]


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
            "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
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
            "p[0].volumeMounts.subPath: Invalid value: \"../x\": must not contain '..'",
        ),
        (
            {"envFrom": [{}]},
            'p[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
        ),
        (
            {"name": "A"},
            'p[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric '
            "characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name' or '123-abc', "
            "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        ),
        (
            {"terminationMessagePolicy": "Loud"},
            'p[0].terminationMessagePolicy: Unsupported value: "Loud": supported values: '
            '"File", "FallbackToLogsOnError"',
        ),
        (
            {"ports": [{"name": "a_b", "containerPort": 1}]},
            'p[0].ports[0].name: Invalid value: "a_b": '
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (
            {"ports": [{"containerPort": 1, "hostPort": -1}]},
            "p[0].ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
        ),
        (
            {"resizePolicy": [{"resourceName": "disk", "restartPolicy": "NotRequired"}]},
            'p[0].resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"',
        ),
        (
            {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "Perhaps"}]},
            'p[0].resizePolicy: Unsupported value: "Perhaps": supported values: "NotRequired", "RestartContainer"',
        ),
        (
            {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}] * 2},
            'p[0].resizePolicy[1]: Duplicate value: "cpu"',
        ),
        (
            {"restartPolicy": "Sometimes"},
            'p[0].restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
        ),
        (
            {"restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}]},
            "p[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
        ),
        (
            {"restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart"}]},
            "p[0].restartPolicyRules[0].exitCodes: Required value: must be specified",
        ),
        (
            {"restartPolicy": "Never", "restartPolicyRules": [{"action": "Stop", "exitCodes": {"operator": "In"}}]},
            'p[0].restartPolicyRules[0].action: Unsupported value: "Stop": supported values: '
            '"Restart", "RestartAllContainers"',
        ),
        (
            {"resources": {"claims": [{"name": "gpu"}]}},
            'p[0].resources.claims[0]: Not found: "gpu": '
            "must be one of the names in pod.spec.resourceClaims which is empty",
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
    around = Around({"containers": [FINE]})
    (error,) = init_containers_errors([plain], around, "p")
    assert str(error) == (
        "p[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
    )
    assert init_containers_errors([{**plain, "restartPolicy": "Always"}], around, "p") == []


def test_init_containers_and_containers_share_their_names():
    (error,) = init_containers_errors([_container()], Around({"containers": [FINE]}), "p")
    assert str(error) == 'p[0].name: Duplicate value: "c"'


def test_only_pods_mind_spaces_around_images():
    assert _errors(_container(image=" i")) == []
    assert [str(error) for error in padded_image_errors([{"image": " i"}], "p")] == [
        'p[0].image: Invalid value: " i": must not have leading or trailing whitespace'
    ]


def test_init_containers_run_one_by_one_so_their_host_ports_may_be_the_same():
    ports = [{"containerPort": 1, "hostPort": 9}]
    containers = [_container(name="a", ports=ports), _container(name="b", ports=ports)]
    assert init_containers_errors(containers, Around({"containers": [FINE]}), "p") == []
    assert len(_errors(*containers)) == 1
