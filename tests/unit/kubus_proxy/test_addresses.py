"""What is parsed, and what is None."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.testing.hostile_texts import HOSTILE, HOSTILE_RANGES
from kubus_proxy.addresses import Protocol, to_address, to_network, to_port, to_protocol, to_reachable_address

anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_address_port_or_protocol(text: str) -> None:
    assert to_address(text) is to_reachable_address(text) is to_port(text) is to_protocol(text) is None


@pytest.mark.parametrize("text", [*HOSTILE_RANGES, "10.0.0.1/8", "2001:db8::/64"])
def test_hostile_text_is_no_range(text: str) -> None:
    assert to_network(text) is None


@given(anything)
def test_anything_becomes_a_value_of_its_type_or_none(value: object) -> None:
    assert isinstance(to_address(value), IPv4Address | None)
    assert isinstance(to_network(value), IPv4Network | None)
    assert isinstance(to_protocol(value), Protocol | None)
    port = to_port(value)
    assert port is None or (type(port) is int and 0 < port < 65536)


@pytest.mark.parametrize("text", ["0.0.0.0", "127.0.0.1", "169.254.169.254", "224.0.0.1"])
def test_traffic_is_not_led_to_the_machine_the_link_or_a_group(text: str) -> None:
    assert to_address(text) == IPv4Address(text)
    assert to_reachable_address(text) is None


def test_what_is_good_is_parsed() -> None:
    assert to_reachable_address("10.0.0.1") == IPv4Address("10.0.0.1")
    assert to_network("10.0.0.0/24") == IPv4Network("10.0.0.0/24")
    assert (to_protocol("UDP"), to_protocol(None), to_port(80)) == (Protocol.UDP, Protocol.TCP, 80)
