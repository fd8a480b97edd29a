"""EndpointSlices and Endpoints: rows and rules."""

from __future__ import annotations

from kubus.model.kinds.endpoints import KIND as ENDPOINTS
from kubus.model.kinds.endpointslices import KIND
from kubus.testing.kinds import complaints, created, sent, shown


def _slice(*addresses, ports=(), family="IPv4"):
    endpoints = [{"addresses": [address]} for address in addresses]
    return created(KIND, sent(KIND, addressType=family, endpoints=endpoints, ports=list(ports)))


def test_only_the_first_three_are_shown():
    row = shown(KIND, _slice("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", ports=[{"port": 80}, {"name": "x"}, {}]))
    assert row["Endpoints"] == "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more..."
    assert row["Ports"] == "80,x,*"
    assert shown(KIND, _slice())["Endpoints"] == "<unset>"


def test_ports_are_named_if_emptily():
    assert _slice(ports=[{"port": 80}])["ports"] == [{"port": 80, "name": "", "protocol": "TCP"}]


def test_the_family_stays():
    assert complaints(KIND, _slice(family="IPv6"), _slice()) == [
        'addressType: Invalid value: "IPv6": field is immutable'
    ]
    assert complaints(KIND, _slice(family="IPX")) == [
        'addressType: Unsupported value: "IPX": supported values: "FQDN", "IPv4", "IPv6"'
    ]


def test_endpoints_join_addresses_and_ports():
    subset = {"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "ports": [{"port": 80}]}
    assert shown(ENDPOINTS, sent(ENDPOINTS, subsets=[subset]))["Endpoints"] == "10.0.0.1:80,10.0.0.2:80"
    assert shown(ENDPOINTS, sent(ENDPOINTS))["Endpoints"] == "<none>"
