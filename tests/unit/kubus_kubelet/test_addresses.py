"""Addresses are in range, free, and rest as long as possible."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.testing.hostile_texts import HOSTILE_RANGES
from kubus_kubelet.addresses import RangeExhausted, next_address, to_pod_range

LENIENT = ("10.0.0.1", "167772161", "10.0.0.0/08")
"""Ranges to Python, if not to the API: harmless, as what comes of them is addresses."""


@pytest.mark.parametrize(
    ("taken", "last", "expected"),
    [
        ((), "", "10.0.0.1"),
        (("10.0.0.1",), "", "10.0.0.2"),
        ((), "10.0.0.1", "10.0.0.2"),
        (("10.0.0.2",), "10.0.0.6", "10.0.0.1"),
        ((), "10.9.9.9", "10.0.0.1"),
    ],
)
def test_the_search_goes_on_after_the_last_address(taken, last, expected):
    found = next_address(IPv4Network("10.0.0.0/29"), set(map(IPv4Address, taken)), IPv4Address(last) if last else None)
    assert found == IPv4Address(expected)


def test_a_full_range_is_an_error():
    with pytest.raises(RangeExhausted):
        next_address(IPv4Network("10.0.0.0/30"), {IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")})


@given(st.sets(st.integers(0, 31)), st.integers(0, 31))
def test_an_address_is_free_and_neither_the_first_nor_the_last(taken, last):
    network = IPv4Network("10.1.0.0/27")
    used = {network[number] for number in taken}
    if used >= set(network.hosts()):
        return
    found = next_address(network, used, network[last])
    assert found not in used
    assert found in set(network.hosts())


@pytest.mark.parametrize("text", [each for each in HOSTILE_RANGES if each not in LENIENT])
def test_what_is_no_range_gives_no_addresses(text):
    assert to_pod_range(text) is None
