"""Addresses are in range, free, and rest as long as possible."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_kubelet.addresses import RangeExhausted, next_address


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
    assert next_address("10.0.0.0/29", taken, last) == expected


def test_a_full_range_is_an_error():
    with pytest.raises(RangeExhausted):
        next_address("10.0.0.0/30", {"10.0.0.1", "10.0.0.2"})


@given(st.sets(st.integers(0, 31)), st.integers(0, 31))
def test_an_address_is_free_and_neither_the_first_nor_the_last(taken, last):
    network = IPv4Network("10.1.0.0/27")
    used = {str(network[number]) for number in taken}
    if used >= {str(each) for each in network.hosts()}:
        return
    found = next_address(str(network), used, str(network[last]))
    assert found not in used
    assert IPv4Address(found) in set(network.hosts())
