"""Services: defaults, what an update keeps, and row."""

from __future__ import annotations

import pytest

from kubus.model.kinds.services import KIND
from kubus.testing.kinds import created, sent, shown, updated

GIVEN = {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}


def _service(**spec):
    return created(KIND, sent(KIND, spec={"ports": [{"port": 80}], **spec}))


def test_defaults():
    assert _service()["spec"] == {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }
    assert _service(type="NodePort")["spec"]["externalTrafficPolicy"] == "Cluster"
    assert _service(type="LoadBalancer")["spec"]["allocateLoadBalancerNodePorts"] is True
    affinity = _service(sessionAffinity="ClientIP")["spec"]["sessionAffinityConfig"]
    assert affinity == {"clientIP": {"timeoutSeconds": 10800}}


def test_an_update_that_says_nothing_of_addresses_keeps_them():
    spec = updated(KIND, sent(KIND, spec={"ports": [{"port": 81}]}), _service(**GIVEN))["spec"]
    assert {key: spec[key] for key in GIVEN} == GIVEN


def test_node_ports_stay_with_their_port():
    old = _service(type="NodePort", ports=[{"name": "a", "port": 80, "nodePort": 30080, "protocol": "TCP"}])
    new = sent(KIND, spec={"type": "NodePort", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]})
    assert [port.get("nodePort") for port in updated(KIND, new, old)["spec"]["ports"]] == [30080, None]


def test_a_service_that_is_no_longer_on_nodes_gives_its_node_port_back():
    old = _service(type="NodePort", ports=[{"port": 80, "nodePort": 30080, "protocol": "TCP"}])
    new = sent(KIND, spec={"type": "ClusterIP", "ports": [{"port": 80, "nodePort": 30080}]})
    assert "nodePort" not in updated(KIND, new, old)["spec"]["ports"][0]


def test_an_external_name_needs_no_address():
    new = sent(KIND, spec={"type": "ExternalName", "externalName": "example.com", **GIVEN})
    assert "clusterIP" not in updated(KIND, new, _service(**GIVEN))["spec"]


@pytest.mark.parametrize(
    ("spec", "status", "external"),
    [
        ({"type": "ClusterIP"}, {}, "<none>"),
        ({"type": "NodePort", "externalIPs": ["192.0.2.1", "192.0.2.2"]}, {}, "192.0.2.1,192.0.2.2"),
        ({"type": "LoadBalancer"}, {}, "<pending>"),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}, "192.0.2.9"),
        ({"type": "ExternalName", "externalName": "example.com"}, {}, "example.com"),
    ],
)
def test_external_addresses(spec, status, external):
    assert shown(KIND, sent(KIND, spec=spec, status=status))["External-IP"] == external


def test_the_row():
    ports = [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP", "nodePort": 30053}]
    row = shown(KIND, sent(KIND, spec={"type": "NodePort", "ports": ports, **GIVEN, "selector": {"a": "b"}}))
    assert row["Cluster-IP"] == "10.96.0.9"
    assert row["Port(s)"] == "80/TCP,53:30053/UDP"
    assert row["Selector"] == "a=b"
    assert shown(KIND, sent(KIND))["Port(s)"] == "<none>"
