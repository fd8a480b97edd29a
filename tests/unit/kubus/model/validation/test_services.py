"""Services: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.services import KIND
from kubus.testing.kinds import complaints, created, sent

PORT = {"port": 80}


def _service(**spec):
    return created(KIND, sent(KIND, spec={"ports": [PORT], **spec}))


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"clusterIP": "None", "ports": []},
        {"type": "NodePort", "ports": [{**PORT, "nodePort": 30080}]},
        {"type": "ExternalName", "externalName": "example.com.", "ports": []},
        {"ports": [{**PORT, "name": "a"}, {**PORT, "name": "b", "protocol": "UDP"}]},
        {"externalIPs": ["192.0.2.1"], "externalTrafficPolicy": "Local"},
    ],
)
def test_ordinary_services_are_fine(spec):
    assert complaints(KIND, _service(**spec)) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ports": []}, "spec.ports: Required value"),
        (
            {"type": "Magic"},
            'spec.type: Unsupported value: "Magic": supported values: '
            '"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
        ),
        ({"type": "ExternalName", "ports": []}, "spec.externalName: Required value"),
        ({"ports": [PORT, {"port": 81, "name": "b"}]}, "spec.ports[0].name: Required value"),
        (
            {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]},
            'spec.ports[1].name: Duplicate value: "a"',
        ),
        (
            {"ports": [{"port": 0, "targetPort": 1}]},
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            {"ports": [{**PORT, "nodePort": 30080}]},
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ),
        (
            {"type": "LoadBalancer", "clusterIP": "None"},
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services",
        ),
        (
            {"sessionAffinity": "Sticky"},
            'spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"',
        ),
        (
            {"externalTrafficPolicy": "Local"},
            'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
        ),
        (
            {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.2"]},
            'spec.clusterIPs: Invalid value: ["10.96.0.2"]: first value must match `clusterIP`',
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(spec, expected):
    assert complaints(KIND, _service(**spec)) == [expected]


def test_a_cluster_ip_stays():
    old = _service(clusterIP="10.96.0.1", clusterIPs=["10.96.0.1"])
    new = _service(clusterIP="10.96.0.2", clusterIPs=["10.96.0.2"])
    assert complaints(KIND, new, old) == ['spec.clusterIPs[0]: Invalid value: ["10.96.0.2"]: may not change once set']
    assert complaints(KIND, old, old) == []
