"""The spec of a pod."""

from __future__ import annotations

import pytest

from kubus.model.defaults.pod_spec import set_pod_spec_defaults
from kubus.model.validation.pod_spec import pod_spec_errors


def _errors(**fields):
    spec = {"containers": [{"name": "c", "image": "i"}], **fields}
    set_pod_spec_defaults(spec)
    return [str(error) for error in pod_spec_errors(spec, "spec")]


def test_an_ordinary_pod_is_fine():
    assert _errors() == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"containers": []}, "spec.containers: Required value"),
        (
            {"restartPolicy": "Sometimes"},
            'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
        ),
        (
            {"dnsPolicy": "None"},
            "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            {"activeDeadlineSeconds": 0},
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ),
        (
            {"hostPID": True, "shareProcessNamespace": True},
            "spec.securityContext.shareProcessNamespace: Invalid value: true: "
            "ShareProcessNamespace and HostPID cannot both be enabled",
        ),
        (
            {
                "hostNetwork": True,
                "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 1, "hostPort": 2}]}],
            },
            "spec.containers[0].ports[0].hostPort: Invalid value: 2: "
            "must match `containerPort` when `hostNetwork` is true",
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(fields, expected):
    assert _errors(**fields) == [expected]


def test_ephemeral_containers_have_no_ports():
    debugger = {"name": "d", "image": "i", "ports": [{"containerPort": 1}]}
    assert _errors(ephemeralContainers=[debugger]) == [
        "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container"
    ]
