"""What a change of a Service keeps and drops, as Kubernetes' registry does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.codec import pack, unpack
from kubus.model.kinds.services import KIND
from kubus.model.service_changes import prepare_changed, prepare_new
from kubus.testing.kinds import complaints, created, sent, updated

ADDRESS = {"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
PORTS = [{"name": "web", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]


def _stored(kind: str = "ClusterIP", **more: Any) -> dict[str, Any]:
    """A Service as it stands in the store, with everything allocated."""
    spec: dict[str, Any] = {"type": kind, "ports": [dict(each) for each in PORTS], **ADDRESS, **more}
    if kind in ("NodePort", "LoadBalancer"):
        for number, port in enumerate(spec["ports"]):
            port.setdefault("nodePort", 30080 + number)
    if kind == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
        spec["healthCheckNodePort"] = 30999
    return created(KIND, sent(KIND, spec=spec, status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}))


def _patched(old: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """The stored object after a merge patch of its spec; None takes a field out."""
    merged = {key: value for key, value in {**old["spec"], **spec}.items() if value is not None}
    return updated(KIND, {**old, "spec": unpack(pack(merged)), "status": old["status"]}, old)


def _replaced(old: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """The object after a PUT of a manifest that knows nothing of what was allocated."""
    return updated(KIND, {**sent(KIND, spec=spec), "status": old["status"]}, old)


def _node_ports(obj: dict[str, Any]) -> list[int | None]:
    return [port.get("nodePort") for port in obj["spec"].get("ports", ())]


def test_to_an_external_name_everything_allocated_is_let_go():
    new = _patched(_stored("NodePort"), type="ExternalName", externalName="example.com")
    assert not {*ADDRESS, "externalTrafficPolicy", "healthCheckNodePort"} & new["spec"].keys()
    assert _node_ports(new) == [None, None]
    assert new["spec"]["internalTrafficPolicy"] == "Cluster"
    assert complaints(KIND, new, _stored("NodePort")) == []


def test_what_the_client_changed_at_the_same_time_is_refused_not_dropped():
    old = _stored()
    new = _patched(old, type="ExternalName", externalName="example.com", clusterIP="10.0.0.7")
    assert "spec.clusterIPs: Forbidden: may not be set for ExternalName services" in complaints(KIND, new, old)


def test_from_an_external_name_to_a_cluster_ip_leaves_room_for_an_address():
    old = created(KIND, sent(KIND, spec={"type": "ExternalName", "externalName": "example.com"}))
    assert not {*ADDRESS} & old["spec"].keys()
    new = _patched(old, type="ClusterIP", ports=[{"port": 80}], externalName=None)
    assert new["spec"]["ipFamilies"] == ["IPv4"]
    assert "clusterIP" not in new["spec"]
    assert complaints(KIND, new, old) == []


def test_up_to_a_balancer_and_down_again():
    plain = _stored()
    on_nodes = _patched(plain, type="NodePort")
    assert on_nodes["spec"]["externalTrafficPolicy"] == "Cluster"
    assert on_nodes["spec"]["clusterIP"] == "10.0.0.9"
    balanced = _patched(_stored("NodePort"), type="LoadBalancer", loadBalancerClass="a.io/b")
    assert balanced["spec"]["allocateLoadBalancerNodePorts"] is True
    assert _node_ports(balanced) == [30080, 30081]
    back = _patched({**balanced, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}, type="ClusterIP")
    gone = {"allocateLoadBalancerNodePorts", "loadBalancerClass", "externalTrafficPolicy", "healthCheckNodePort"}
    assert not gone & back["spec"].keys()
    assert _node_ports(back) == [None, None]
    assert back["status"] == {"loadBalancer": {}}
    assert complaints(KIND, back, balanced) == []


def test_the_health_check_port_is_kept_and_dropped_with_the_policy():
    local = _stored("LoadBalancer", externalTrafficPolicy="Local")
    kept = _replaced(local, type="LoadBalancer", externalTrafficPolicy="Local", ports=PORTS)
    assert kept["spec"]["healthCheckNodePort"] == 30999
    assert "healthCheckNodePort" not in _patched(local, externalTrafficPolicy="Cluster")["spec"]
    moved = _patched(local, healthCheckNodePort=31000)
    assert "spec.healthCheckNodePort: Forbidden: field is immutable" in complaints(KIND, moved, local)


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (PORTS, [30080, 30081]),
        ([PORTS[1], PORTS[0]], [30081, 30080]),
        ([{"name": "web", "port": 8080}, PORTS[1]], [30080, 30081]),
        ([{"name": "other", "port": 80}, PORTS[1]], [None, 30081]),
        ([{"name": "web", "port": 80, "nodePort": 30090}, PORTS[1]], [30090, 30081]),
        ([{"name": "new", "port": 81, "nodePort": 30080}, PORTS[0]], [30080, None]),
    ],
)
def test_node_ports_stay_with_the_names_of_their_ports(ports, expected):
    new = _replaced(_stored("NodePort"), type="NodePort", ports=unpack(pack(ports)))
    assert _node_ports(new) == expected


def test_one_unnamed_port_keeps_its_node_port_whatever_number_it_gets():
    old = created(KIND, sent(KIND, spec={"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}], **ADDRESS}))
    assert _node_ports(_replaced(old, type="NodePort", ports=[{"port": 8080}])) == [30080]


def test_an_address_that_only_one_field_names_is_named_by_both():
    assert created(KIND, sent(KIND, spec={"ports": [{"port": 80}], "clusterIP": "None"}))["spec"]["clusterIPs"] == [
        "None"
    ]
    new = _patched(_stored(), clusterIP="10.0.0.7")
    assert new["spec"]["clusterIPs"] == ["10.0.0.7"]
    assert complaints(KIND, new, _stored()) == [
        'spec.clusterIPs[0]: Invalid value: ["10.0.0.7"]: may not change once set'
    ]
    assert _patched(_stored(), clusterIP=None, clusterIPs=None)["spec"]["clusterIPs"] == ["10.0.0.9"]


@pytest.mark.parametrize(
    ("spec", "families", "policy"),
    [
        ({}, ["IPv4"], "SingleStack"),
        ({"ipFamilyPolicy": "PreferDualStack"}, ["IPv4"], "PreferDualStack"),
        ({"clusterIP": "None"}, ["IPv4", "IPv6"], "RequireDualStack"),
        ({"clusterIP": "None", "selector": {"a": "b"}}, ["IPv4"], "SingleStack"),
        ({"clusterIP": "10.0.0.3"}, ["IPv4"], "SingleStack"),
    ],
)
def test_families_are_said_for_who_does_not_say_them(spec, families, policy):
    made = created(KIND, sent(KIND, spec={"ports": [{"port": 80}], **spec}))
    assert (made["spec"]["ipFamilies"], made["spec"]["ipFamilyPolicy"]) == (families, policy)
    assert complaints(KIND, made) == []


_TYPES = st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])


@given(_TYPES, _TYPES, st.booleans(), st.booleans())
@settings(max_examples=60)
def test_every_change_of_type_is_accepted_and_keeps_nothing_useless(before, after, local, replace):
    more = {"externalTrafficPolicy": "Local"} if local and before in ("NodePort", "LoadBalancer") else {}
    if before == "ExternalName":
        old = created(KIND, sent(KIND, spec={"type": before, "externalName": "example.com", "ports": PORTS}))
    else:
        old = _stored(before, **more)
    change = {"type": after, "externalName": "example.com"}
    new = _replaced(old, ports=unpack(pack(PORTS)), **change) if replace else _patched(old, **change)
    assert complaints(KIND, new, old) == []
    assert after in ("NodePort", "LoadBalancer") or _node_ports(new) == [None, None]
    assert after != "ExternalName" or not {*ADDRESS} & new["spec"].keys()


@given(_TYPES)
def test_a_change_of_nothing_changes_nothing(kind):
    if kind == "ExternalName":
        spec: dict[str, Any] = {"type": kind, "externalName": "example.com"}
        prepare_new(spec)
    else:
        spec = _stored(kind)["spec"]
    same = unpack(pack(spec))
    prepare_changed(same, spec)
    assert same == spec
