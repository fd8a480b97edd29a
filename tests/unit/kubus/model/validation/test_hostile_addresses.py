"""Every field of the API from which packet rules or routes are made takes addresses and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.kinds import Kind
from kubus.model.kinds.endpoints import KIND as ENDPOINTS
from kubus.model.kinds.endpointslices import KIND as SLICES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object
from kubus.model.validation import object_errors, status_errors
from kubus.testing.hostile_texts import HOSTILE, HOSTILE_RANGES
from kubus.testing.kinds import created, sent


def _node(status: Object | None = None, spec: Object | None = None) -> Object:
    return created(NODES, sent(NODES, spec=spec or {}, status=status or {}))


def _pod(**status: object) -> Object:
    return {**sent(PODS), "spec": {}, "status": status}


def _slice(*addresses: str, family: str = "IPv4") -> Object:
    return created(SLICES, sent(SLICES, addressType=family, endpoints=[{"addresses": list(addresses)}], ports=[]))


def _endpoints(field: str, text: str) -> Object:
    return created(ENDPOINTS, sent(ENDPOINTS, subsets=[{field: [{"ip": text}], "ports": [{"port": 80}]}]))


def _service(status: Object | None = None, **spec: object) -> Object:
    made = created(SERVICES, sent(SERVICES, spec={"ports": [{"port": 80}], "type": "LoadBalancer", **spec}))
    return {**made, "status": status or made["status"]}


def _ingress(text: str) -> Object:
    return {"loadBalancer": {"ingress": [{"ip": text}]}}


SPEC_FIELDS: dict[str, tuple[Kind, Callable[[str], Object]]] = {
    "endpoints[0].addresses[0]": (SLICES, _slice),
    "endpoints[0].addresses[1]": (SLICES, lambda text: _slice("::2", text, family="IPv6")),
    "subsets[0].addresses[0].ip": (ENDPOINTS, lambda text: _endpoints("addresses", text)),
    "subsets[0].notReadyAddresses[0].ip": (ENDPOINTS, lambda text: _endpoints("notReadyAddresses", text)),
    "spec.externalIPs[0]": (SERVICES, lambda text: _service(externalIPs=[text])),
    "spec.clusterIPs[0]": (SERVICES, lambda text: _service(clusterIP=text)),
}
STATUS_FIELDS: dict[str, tuple[Kind, Callable[[str], Object]]] = {
    "status.addresses[0].address": (
        NODES,
        lambda text: _node({"addresses": [{"type": "InternalIP", "address": text}]}),
    ),
    "status.addresses[1].address": (
        NODES,
        lambda text: _node({"addresses": [{"type": "Hostname"}, {"type": "ExternalIP", "address": text}]}),
    ),
    "status.podIPs[0]": (PODS, lambda text: _pod(podIP=text)),
    "status.podIPs[1]": (PODS, lambda text: _pod(podIPs=[{"ip": "10.0.0.1"}, {"ip": text}])),
    "status.podIP": (PODS, lambda text: _pod(podIP=text, podIPs=[{"ip": "10.0.0.1"}])),
    "status.hostIPs[0]": (PODS, lambda text: _pod(hostIP=text, hostIPs=[{"ip": text}])),
    "status.loadBalancer.ingress[0].ip": (SERVICES, lambda text: _service(_ingress(text))),
}
RANGES: dict[str, tuple[Kind, Callable[[str], Object]]] = {
    "spec.podCIDRs[0]": (NODES, lambda text: _node(spec={"podCIDR": text})),
    "spec.podCIDRs[1]": (NODES, lambda text: _node(spec={"podCIDRs": ["10.0.0.0/24", text]})),
    "spec.LoadBalancerSourceRanges[0]": (SERVICES, lambda text: _service(loadBalancerSourceRanges=[text])),
}


def refused_fields(kind: Kind, obj: Object) -> set[str]:
    return {error.field for error in object_errors(kind, obj, None)}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_range(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", [*SPEC_FIELDS, *STATUS_FIELDS])
def test_text_that_is_no_address_is_refused_with_the_path_of_its_field(field: str, text: str) -> None:
    kind, make = (SPEC_FIELDS | STATUS_FIELDS)[field]
    assert field in refused_fields(kind, make(text))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", STATUS_FIELDS)
def test_a_write_of_the_status_is_asked_too(field: str, text: str) -> None:
    kind, make = STATUS_FIELDS[field]
    old = {"status": {}, **{key: value for key, value in make(text).items() if key != "status"}}
    assert field in {error.field for error in status_errors(kind, make(text), old)}


@pytest.mark.parametrize("text", HOSTILE_RANGES)
@pytest.mark.parametrize("field", RANGES)
def test_text_that_is_no_range_is_refused_with_the_path_of_its_field(field: str, text: str) -> None:
    if field == "spec.LoadBalancerSourceRanges[0]" and text != text.strip():
        text = f"{text}x"  # upstream trims these
    kind, make = RANGES[field]
    assert field in refused_fields(kind, make(text))


near = st.text(alphabet="0123456789abcdef.:/%-{};# \n\0", max_size=20) | st.text(max_size=20)


@given(st.sampled_from([*SPEC_FIELDS, *STATUS_FIELDS]), near)
def test_what_is_let_through_is_an_address(field: str, text: str) -> None:
    kind, make = (SPEC_FIELDS | STATUS_FIELDS)[field]
    passes = not text or text == "None"  # absent, or headless
    assert passes or field in refused_fields(kind, make(text)) or _is_address(text)


@given(st.sampled_from([*RANGES]), near)
def test_what_is_let_through_is_a_range(field: str, text: str) -> None:
    kind, make = RANGES[field]
    assert not text or field in refused_fields(kind, make(text)) or _is_range(text.strip())


def test_addresses_that_are_fine_pass_every_field() -> None:
    for field, (kind, make) in (SPEC_FIELDS | STATUS_FIELDS).items():
        address = "2001:db8::7" if field in ("endpoints[0].addresses[1]", "status.podIPs[1]") else "203.0.113.7"
        assert field not in refused_fields(kind, make(address)), field
    assert refused_fields(*_made(RANGES["spec.podCIDRs[0]"], "10.0.0.0/24")) == set()
    assert refused_fields(*_made(RANGES["spec.podCIDRs[1]"], "2001:db8::/64")) == set()


def _made(entry: tuple[Kind, Callable[[str], Object]], text: str) -> tuple[Kind, Object]:
    return entry[0], entry[1](text)
