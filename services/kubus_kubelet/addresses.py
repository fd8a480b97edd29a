"""Which address a new pod gets: pure.

Nothing is remembered: what is taken is what routes in the node's namespace say. The search starts after the
address given last, so that an address rests as long as possible before another pod has it.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network


class RangeExhausted(Exception):
    """Every address of the node's pod range is taken."""


def to_pod_range(text: str) -> IPv4Network | None:
    """A node's range (spec.podCIDR); None if it is none that pods can have addresses of."""
    try:
        return IPv4Network(text)
    except ValueError:
        return None


def next_address(network: IPv4Network, taken: Collection[IPv4Address], last: IPv4Address | None = None) -> IPv4Address:
    """A free address of the range; never its first or last one.

    Raises:
        RangeExhausted
    """
    first, end = int(network.network_address) + 1, int(network.broadcast_address)
    count = end - first
    start = int(last) + 1 - first if last is not None and last in network else 0
    for step in range(count):
        address = IPv4Address(first + (start + step) % count)
        if address not in taken:
            return address
    raise RangeExhausted(f"no free address in {network}")
