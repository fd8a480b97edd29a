"""Which address a new pod gets: pure.

Nothing is remembered: what is taken is what routes in the node's namespace say. The search starts after the
address given last, so that an address rests as long as possible before another pod has it.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network


class RangeExhausted(Exception):
    """Every address of the node's pod range is taken."""


def next_address(pod_cidr: str, taken: Collection[str], last: str = "") -> str:
    """A free address of the range; never its first or last one.

    Raises:
        RangeExhausted
    """
    network = IPv4Network(pod_cidr)
    first, end = int(network.network_address) + 1, int(network.broadcast_address)
    count = end - first
    start = int(IPv4Address(last)) + 1 - first if last and IPv4Address(last) in network else 0
    for step in range(count):
        address = str(IPv4Address(first + (start + step) % count))
        if address not in taken:
            return address
    raise RangeExhausted(f"no free address in {pod_cidr}")
