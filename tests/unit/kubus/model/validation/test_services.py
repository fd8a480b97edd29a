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
            {"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]},
            'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,'
            '"TargetPort":0,"NodePort":0}',
        ),
        (
            {
                "type": "NodePort",
                "ports": [{"port": 80, "name": "a", "nodePort": 30001}, {"port": 81, "name": "b", "nodePort": 30001}],
            },
            "spec.ports[1].nodePort: Duplicate value: 30001",
        ),
        (
            {"ports": [{**PORT, "protocol": "ICMP"}]},
            'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
        ),
        (
            {"ports": [{**PORT, "targetPort": "a_b"}]},
            'spec.ports[0].targetPort: Invalid value: "a_b": '
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (
            {"ports": [{**PORT, "appProtocol": "a/b/c"}]},
            'spec.ports[0].appProtocol: Invalid value: "a/b/c": a qualified name must consist of alphanumeric '
            "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName' or "
            "'my.name' or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an "
            "optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        ),
        (
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}},
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: "
            "must be greater than 0 and less than 86400",
        ),
        (
            {"type": "ExternalName", "externalName": "a_b", "ports": []},
            'spec.externalName: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case '
            "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
            "'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
        (
            {"type": "ExternalName", "externalName": "a.b", "clusterIP": "10.0.0.1"},
            "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
        ),
        (
            {"loadBalancerSourceRanges": ["10.0.0.0/8"]},
            "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
        ),
        (
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0"]},
            'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": '
            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
        ),
        (
            {"allocateLoadBalancerNodePorts": True},
            "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
        ),
        (
            {"loadBalancerClass": "a/b"},
            "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
        ),
        (
            {"type": "NodePort", "externalTrafficPolicy": "Magic"},
            'spec.externalTrafficPolicy: Unsupported value: "Magic": supported values: "Cluster", "Local"',
        ),
        (
            {"internalTrafficPolicy": "Magic"},
            'spec.internalTrafficPolicy: Unsupported value: "Magic": supported values: "Cluster", "Local"',
        ),
        (
            {"trafficDistribution": "Magic"},
            'spec.trafficDistribution: Unsupported value: "Magic": supported values: '
            '"PreferClose", "PreferSameZone", "PreferSameNode"',
        ),
        (
            {"type": "NodePort", "healthCheckNodePort": 30000},
            "spec.healthCheckNodePort: Invalid value: 30000: "
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
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
