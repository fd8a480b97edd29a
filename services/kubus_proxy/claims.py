"""Who has an address and port that several Services name. Pure.

Nothing keeps two Services from the same external address: their authors write it. A verdict map of the kernel has one
value for a key, so one of them gets it: the one it was allocated to (as its clusterIP or node port), or else the older
one, by creation time, then uid. All proxies decide alike, and a Service that was there first cannot be robbed of its
traffic. A node port is taken on the addresses of all nodes, so it wins over another Service's external address there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from typing import NamedTuple

from kubus.model.objects import Object, path_of
from kubus_proxy.services import Demand, Frontend

ALLOCATED, CHOSEN = 0, 1


class Claim(NamedTuple):
    """One Service's claim to a frontend; the smallest one has it."""

    rank: int
    created: str
    """RFC 3339 in UTC, which sorts by time."""
    uid: str
    service: str
    """`<namespace>/<name>`."""


def claims_of(name: str, service: Object, demand: Demand) -> dict[Frontend, Claim]:
    """The claims of a Service to all that it asks for."""
    created = str(path_of(service, "metadata", "creationTimestamp") or "")
    uid = str(path_of(service, "metadata", "uid") or "")
    return {
        each: Claim(CHOSEN if each in demand.external else ALLOCATED, created, uid, name) for each in demand.frontends
    }


class Claims:
    """All claims of a cluster's Services."""

    def __init__(self) -> None:
        self._by_frontend: dict[Frontend, dict[str, Claim]] = {}
        self._by_service: dict[str, dict[Frontend, Claim]] = {}
        self._nodes: set[IPv4Address] = set()

    def owner(self, frontend: Frontend) -> str:
        """The Service that has a frontend; "" if none claims it."""
        claims = list(self._by_frontend.get(frontend, {}).values())
        if frontend.address in self._nodes:
            claims += self._by_frontend.get(frontend._replace(address=None), {}).values()
        return min(claims).service if claims else ""

    def change(self, service: str, claims: Mapping[Frontend, Claim]) -> set[str]:
        """Replace a Service's claims; the Services, itself too, that may now have more or less."""
        before = self._by_service.pop(service, {})
        if claims:
            self._by_service[service] = dict(claims)
        affected = {service}
        for frontend in {*before, *claims}:
            if before.get(frontend) == claims.get(frontend):
                continue
            holders = self._by_frontend.setdefault(frontend, {})
            holders.pop(service, None)
            if frontend in claims:
                holders[service] = claims[frontend]
            affected |= holders.keys()
            if frontend.address is None:
                affected |= self._holders(frontend._replace(address=each) for each in self._nodes)
            if not holders:
                del self._by_frontend[frontend]
        return affected

    def nodes_changed(self, addresses: set[IPv4Address]) -> set[str]:
        """Learn the addresses of all nodes; the Services that may now have more or less."""
        changed = self._nodes ^ addresses
        self._nodes = addresses
        return self._holders(each for each in self._by_frontend if each.address in changed) if changed else set()

    def _holders(self, frontends: Iterable[Frontend]) -> set[str]:
        return {service for each in frontends for service in self._by_frontend.get(each, ())}
