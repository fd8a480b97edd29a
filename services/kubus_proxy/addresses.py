"""Addresses, ranges and numbers out of API objects: parsed here, values from here on. Pure.

A proxy runs as root and hands text to nft and ip. The API refuses what is no address; an object that got into the store
some other way must do no harm either. So what becomes a rule or a route is an `IPv4Address`, an `IPv4Network`, an `int`
or a `Protocol`, and each function here gives None for anything else.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError


class Protocol(StrEnum):
    """A transport protocol by nftables' name."""

    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"


_PROTOCOLS = {each.name: each for each in Protocol}


def to_address(value: object) -> IPv4Address | None:
    """An IPv4 address of its text."""
    return _address(value) if isinstance(value, str) else None


@lru_cache(maxsize=65536)
def _address(text: str) -> IPv4Address | None:
    """One object for one text, which makes comparing endpoints of two slices a comparison of pointers."""
    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


def to_reachable_address(value: object) -> IPv4Address | None:
    """An IPv4 address that traffic may be led to: none of the machine itself, of the link or of a group."""
    return _reachable_address(value) if isinstance(value, str) else None


@lru_cache(maxsize=65536)
def _reachable_address(text: str) -> IPv4Address | None:
    address = _address(text)
    return address if address is not None and is_reachable(address) else None


def is_reachable(address: IPv4Address) -> bool:
    """Whether an address is one of some other machine's."""
    return not (address.is_unspecified or address.is_loopback or address.is_link_local or address.is_multicast)


def to_network(value: object) -> IPv4Network | None:
    """An IPv4 range of its text, `<address>/<bits>` without bits beyond the prefix."""
    if not isinstance(value, str) or "/" not in value:
        return None
    try:
        network = IPv4Network(value)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None
    return network if str(network) == value else None


def to_port(value: object) -> int | None:
    """A port's number."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536 else None


def to_protocol(value: object) -> Protocol | None:
    """A protocol by the API's name: TCP (the default), UDP or SCTP."""
    if value is None:
        return Protocol.TCP
    return _PROTOCOLS.get(value) if isinstance(value, str) else None
