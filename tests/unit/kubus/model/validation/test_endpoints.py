"""Endpoints and EndpointSlices: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.endpoints import KIND as ENDPOINTS
from kubus.model.kinds.endpointslices import KIND as SLICES
from kubus.model.objects import Object
from kubus.testing.kinds import complaints, created, sent


def piece(family: str = "IPv4", ports: object = (), **endpoint: object) -> Object:
    endpoint = {"addresses": ["10.0.0.1"], **endpoint}
    return created(SLICES, sent(SLICES, addressType=family, endpoints=[endpoint], ports=list(ports)))  # type: ignore[call-overload]


def endpoints(**subset: object) -> Object:
    return created(ENDPOINTS, sent(ENDPOINTS, subsets=[{"addresses": [{"ip": "10.0.0.1"}], **subset}]))


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (piece(), []),
        (piece("FQDN", addresses=["web.example.com."]), []),
        (piece(addresses=[]), ["endpoints[0].addresses: Required value: must contain at least 1 address"]),
        (piece(addresses=["10.0.0.1"] * 101), ["endpoints[0].addresses: Too many: 101: must have at most 100 items"]),
        (piece(addresses=["::1"]), ['endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address']),
        (
            piece("IPv6"),
            ['endpoints[0].addresses[0]: Invalid value: "10.0.0.1": must be a valid IPv6 address'],
        ),
        (
            piece(addresses=["127.0.0.1"]),
            [
                'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": '
                "may not be in the loopback range (127.0.0.0/8, ::1/128)"
            ],
        ),
        (
            piece("FQDN", addresses=["web"]),
            [
                'endpoints[0].addresses[0]: Invalid value: "web": '
                "should be a domain with at least two segments separated by dots"
            ],
        ),
        (piece("FQDN", addresses=[""]), ["endpoints[0].addresses[0]: Required value"]),
        (piece(ports=[{"port": 0}]), ["ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"]),
        (
            piece(ports=[{"name": "a", "port": 1, "protocol": "tcp } ;"}]),
            ['ports[0].protocol: Unsupported value: "tcp } ;": supported values: "SCTP", "TCP", "UDP"'],
        ),
        (piece(ports=[{"name": "a"}, {"name": "a"}]), ['ports[1].name: Duplicate value: "a"']),
        (endpoints(ports=[{"port": 80}]), []),
        (endpoints(addresses=[]), ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]),
        (endpoints(ports=[{"port": 80}, {"port": 81, "name": "b"}]), ["subsets[0].ports[0].name: Required value"]),
        (
            endpoints(ports=[{"port": 99999}]),
            ["subsets[0].ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive"],
        ),
        (
            endpoints(addresses=[{"ip": "169.254.169.254"}]),
            [
                'subsets[0].addresses[0].ip: Invalid value: "169.254.169.254": '
                "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
            ],
        ),
    ],
)
def test_addresses_and_ports(obj: Object, expected: list[str]) -> None:
    kind = SLICES if obj["kind"] == "EndpointSlice" else ENDPOINTS
    assert complaints(kind, obj) == expected


@pytest.mark.parametrize(
    ("kind", "obj", "field"),
    [
        (SLICES, piece(hostname="a.b"), "endpoints[0].hostname"),
        (SLICES, piece(nodeName="a b"), "endpoints[0].nodeName"),
        (SLICES, piece("FQDN", addresses=["a b.c"]), "endpoints[0].addresses[0]"),
        (SLICES, piece(ports=[{"name": "a.b"}]), "ports[0].name"),
        (SLICES, piece(ports=[{"appProtocol": "a b"}]), "ports[0].appProtocol"),
        (ENDPOINTS, endpoints(addresses=[{"ip": "10.0.0.1", "hostname": "a.b"}]), "subsets[0].addresses[0].hostname"),
        (ENDPOINTS, endpoints(addresses=[{"ip": "10.0.0.1", "nodeName": "a b"}]), "subsets[0].addresses[0].nodeName"),
        (ENDPOINTS, endpoints(ports=[{"port": 80, "name": "a.b"}]), "subsets[0].ports[0].name"),
    ],
)
def test_names_are_names(kind, obj, field) -> None:
    assert [each.partition(": ")[0] for each in complaints(kind, obj)] == [field]


def test_a_slice_and_its_ports_have_a_limit() -> None:
    many = sent(SLICES, addressType="IPv4", endpoints=[{"addresses": ["10.0.0.1"]}] * 1001, ports=[{}] * 101)
    assert complaints(SLICES, many) == [
        "endpoints: Too many: 1001: must have at most 1000 items",
        "ports: Too many: 101: must have at most 100 items",
    ]


def test_subsets_that_stay_do_not_stand_in_the_way_of_other_changes() -> None:
    stored = endpoints(addresses=[{"ip": "x"}])
    assert complaints(ENDPOINTS, {**stored, "metadata": {**stored["metadata"], "labels": {"a": "b"}}}, stored) == []
