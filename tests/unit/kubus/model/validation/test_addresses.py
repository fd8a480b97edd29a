"""Addresses in fields."""

from __future__ import annotations

import pytest

from kubus.model.validation.addresses import (
    cidr_field_errors,
    family_errors,
    ip_field_errors,
    reachable_address_errors,
    stack_errors,
)

IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        ("10.0.0.1", ""),
        ("2001:db8::1", ""),
        ("224.1.0.1", ""),
        ("x", IP),
        ("", IP),
        ("0.0.0.0", "may not be unspecified (0.0.0.0)"),
        ("::", "may not be unspecified (::)"),
        ("127.3.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("169.254.169.254", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        ("224.0.0.5", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
        ("ff02::1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ],
)
def test_addresses_of_the_machine_or_the_link_lead_nowhere(address: str, detail: str) -> None:
    expected = [f'p: Invalid value: "{address}": {detail}'] if detail else []
    assert [str(each) for each in reachable_address_errors(address, "p")] == expected


def test_an_address_is_of_the_family_asked_for() -> None:
    assert family_errors("10.0.0.1", "p", 4) == family_errors("::1", "p", 6) == []
    assert [each.message for each in family_errors("::1", "p", 4)] == [
        'Invalid value: "::1": must be a valid IPv4 address'
    ]
    assert [each.message for each in family_errors("x", "p", 6)] == ['Invalid value: "x": must be a valid IPv6 address']


def test_what_the_stored_object_has_already_passes() -> None:
    assert [each.message for each in ip_field_errors("x", "p")] == [f'Invalid value: "x": {IP}']
    assert ip_field_errors("x", "p", ["x"]) == []
    assert [each.message for each in cidr_field_errors("10.0.0.1", "p")] == [f'Invalid value: "10.0.0.1": {CIDR}']
    assert cidr_field_errors("10.0.0.1", "p", ["10.0.0.1"]) == []


@pytest.mark.parametrize(
    ("texts", "fits"),
    [
        (["10.0.0.1"], True),
        (["10.0.0.1", "::1"], True),
        (["10.0.0.1", "10.0.0.2"], False),
        (["10.0.0.0/24", "10.0.1.0/24"], False),
        (["10.0.0.0/24", "::/64", "::/96"], False),
        (["nonsense", "10.0.0.1"], True),
    ],
)
def test_each_family_is_there_once(texts: list[str], fits: bool) -> None:
    assert (stack_errors(texts, "p", texts, "IP") == []) is fits
