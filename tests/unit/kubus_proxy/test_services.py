"""What Services ask of the kernel."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from kubus.model.objects import Object
from kubus_proxy.addresses import Protocol
from kubus_proxy.services import Backend, Endpoint, Frontend, Wanted, demand

WEB = Frontend(Protocol.TCP, IPv4Address("10.96.0.10"), 80)


def wanted(service_: Object, slices: list[Object], node: str) -> Wanted:
    found = demand(service_, slices, node)
    assert found.faults == ()
    return found.frontends


def service(**spec: object) -> Object:
    spec = {"clusterIP": "10.96.0.10", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}], **spec}
    return {"metadata": {"name": "web", "namespace": "d"}, "spec": spec}


def piece(*endpoints: Object, port: int = 8080, name: str = "http") -> Object:
    ports = [{"name": name, "port": port, "protocol": "TCP"}]
    return {"addressType": "IPv4", "ports": ports, "endpoints": list(endpoints)}


def endpoint(address: str, *, ready: bool = True, leaving: bool = False, node: str = "n1") -> Object:
    conditions = {"ready": ready and not leaving, "serving": ready, "terminating": leaving}
    return {"addresses": [address], "conditions": conditions, "nodeName": node}


def addresses(service_: Object, *pieces: Object, node: str = "n1", frontend: Frontend = WEB) -> list[str]:
    return [str(each.address) for each in wanted(service_, list(pieces), node)[frontend].endpoints]


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        ([endpoint("1.1.1.1"), endpoint("1.1.1.2")], ["1.1.1.1", "1.1.1.2"]),
        ([endpoint("1.1.1.1"), endpoint("1.1.1.2", ready=False)], ["1.1.1.1"]),
        ([endpoint("1.1.1.1"), endpoint("1.1.1.2", leaving=True)], ["1.1.1.1"]),
        ([endpoint("1.1.1.1", leaving=True)], ["1.1.1.1"]),
        ([endpoint("1.1.1.1", ready=False)], []),
        ([], []),
    ],
    ids=["all ready", "one not ready", "one leaving", "only leaving ones left", "none ready", "none"],
)
def test_traffic_goes_to_ready_endpoints_or_failing_these_to_leaving_ones(
    endpoints: list[Object], expected: list[str]
) -> None:
    assert addresses(service(), piece(*endpoints)) == expected


def test_endpoints_come_from_all_slices_that_have_the_port() -> None:
    pieces = [piece(endpoint("1.1.1.1")), piece(endpoint("1.1.1.2"), port=9090), piece(endpoint("1.1.1.3"), name="no")]
    found = wanted(service(), pieces, "n1")[WEB].endpoints
    assert found == (Endpoint(IPv4Address("1.1.1.1"), 8080), Endpoint(IPv4Address("1.1.1.2"), 9090))


def test_local_policies_keep_to_the_node() -> None:
    both = piece(endpoint("1.1.1.1", node="n1"), endpoint("1.1.1.2", node="n2"))
    inside = service(internalTrafficPolicy="Local")
    assert addresses(inside, both) == ["1.1.1.1"]
    outside = service(
        type="NodePort", externalTrafficPolicy="Local", ports=[{"name": "http", "port": 80, "nodePort": 30080}]
    )
    node_port = Frontend(Protocol.TCP, None, 30080)
    assert wanted(outside, [both], "n2")[node_port] == Backend(
        (Endpoint(IPv4Address("1.1.1.2"), 8080),), False, masquerade=False
    )
    assert addresses(outside, both) == ["1.1.1.1", "1.1.1.2"]


def test_external_addresses_and_node_ports_are_masqueraded() -> None:
    outside = service(externalIPs=["9.9.9.9"], ports=[{"name": "http", "port": 80, "nodePort": 30080}])
    found = wanted(outside, [piece(endpoint("1.1.1.1"))], "n1")
    assert {str(f.address or "node"): b.masquerade for f, b in found.items()} == {
        "10.96.0.10": False,
        "9.9.9.9": True,
        "node": True,
    }


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"type": "ExternalName"}, {"clusterIP": ""}])
def test_services_without_an_address_ask_for_nothing(spec: Object) -> None:
    assert wanted(service(**spec), [piece(endpoint("1.1.1.1"))], "n1") == {}


def test_another_proxys_services_are_left_to_it() -> None:
    foreign = service()
    foreign["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "other"}
    assert wanted(foreign, [piece(endpoint("1.1.1.1"))], "n1") == {}


def test_session_affinity_is_kept() -> None:
    assert wanted(service(sessionAffinity="ClientIP"), [piece(endpoint("1.1.1.1"))], "n1")[WEB].sticky


def test_what_others_chose_is_told_from_what_was_allocated() -> None:
    outside = service(externalIPs=["9.9.9.9", "10.96.0.10"], ports=[{"name": "http", "port": 80, "nodePort": 30080}])
    found = demand(outside, [], "n1")
    assert found.external == {Frontend(Protocol.TCP, IPv4Address("9.9.9.9"), 80)}
    assert len(found.frontends) == 3


def test_what_cannot_be_used_is_left_out_and_named() -> None:
    bad = service(externalIPs=["9.9.9.9 } ;", "::1", "127.0.0.1"], ports=[{"name": "http", "port": 80}, {"port": "x"}])
    found = demand(bad, [piece(endpoint("1.1.1.1"), endpoint("1.1.1.2 } ;"))], "n1")
    assert list(found.frontends) == [WEB]
    assert found.frontends[WEB].endpoints == (Endpoint(IPv4Address("1.1.1.1"), 8080),)
    assert [each.partition(" is left out")[0] for each in found.faults] == [
        "spec.externalIPs[0]",
        "spec.externalIPs[2]",
        "an endpoint",
        "spec.ports[1].port",
    ]


def test_a_load_balancer_that_proxies_itself_is_left_to_it() -> None:
    balanced = service(type="LoadBalancer")
    balanced["status"] = {"loadBalancer": {"ingress": [{"ip": "9.9.9.9", "ipMode": "Proxy"}, {"ip": "9.9.9.8"}]}}
    assert {str(each.address) for each in wanted(balanced, [], "n1")} == {"10.96.0.10", "9.9.9.8"}
