"""The proxy's state: which Services there are, and what the kernel has been told. No I/O.

Objects come in by `…_changed`. `pending` names the Services whose rules are to change, `commands` is the transaction
for some of them, and `told` notes that the kernel has taken it: so a transaction that is refused can be tried again in
parts. Only Services that something has changed about are worked out anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from kubus.model.objects import Key, Object, labels_of, namespace_of
from kubus_proxy import rules
from kubus_proxy.claims import Claims, claims_of
from kubus_proxy.routes import node_addresses
from kubus_proxy.services import SERVICE_NAME, Demand, Frontend, Wanted, demand

MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading an object raises that is not of its kind's shape; the API lets none through."""


class Notice(NamedTuple):
    """Something that the owner of an object should know: an Event."""

    about: Object
    reason: str
    message: str


class ProxyTable:
    """What the table in the kernel holds and should hold."""

    def __init__(self, name: str, pod_cidr: IPv4Network, node: str) -> None:
        self.name = name
        self._pod_cidr = pod_cidr
        self._node = node
        self._services: dict[str, Object] = {}
        self._slices: dict[str, dict[str, Object]] = {}
        self._slice_owner: dict[str, str] = {}
        self._nodes: dict[str, set[IPv4Address]] = {}
        self._node_addresses: set[IPv4Address] = set()
        self._claims = Claims()
        self._asked: dict[str, Wanted] = {}
        self._wanted: dict[str, Wanted] = {}
        self._told: dict[str, Wanted] = {}
        self._told_nodes: set[IPv4Address] = set()
        self._hairpins: Counter[IPv4Address] = Counter()
        self._dirty: set[str] = set()
        self._stale: set[str] = set()
        self._said: dict[str, list[Notice]] = {}
        self._notices: list[Notice] = []

    def service_changed(self, key: Key, service: Object | None) -> None:
        """A Service as it is now; None: it is gone."""
        name = f"{key.namespace}/{key.name}"
        if service is None:
            self._services.pop(name, None)
        else:
            self._services[name] = service
        self._dirty.add(name)

    def slice_changed(self, key: Key, piece: Object | None) -> None:
        """An EndpointSlice as it is now; None: it is gone."""
        name = f"{key.namespace}/{key.name}"
        before = self._slice_owner.pop(name, "")
        if before:
            self._slices[before].pop(name, None)
            self._dirty.add(before)
        owner = labels_of(piece).get(SERVICE_NAME, "") if piece is not None else ""
        if piece is not None and owner:
            service = f"{namespace_of(piece)}/{owner}"
            self._slice_owner[name] = service
            self._slices.setdefault(service, {})[name] = piece
            self._dirty.add(service)

    def node_changed(self, key: Key, node: Object | None) -> None:
        """A Node as it is now; None: it is gone."""
        addresses = {address for _, address in node_addresses(node)} if node is not None else set()
        if self._nodes.get(key.name, set()) != addresses:
            self._nodes[key.name] = addresses
            self._node_addresses = set().union(*self._nodes.values())
            self._dirty |= self._claims.nodes_changed(self._node_addresses)

    def pending(self) -> list[str]:
        """The Services whose rules in the kernel are not as they should be, those first that give something up."""
        self._settle()
        self._stale = {name for name in self._stale if self._told.get(name, {}) != self._wanted.get(name, {})}
        return sorted(self._stale, key=lambda name: (not self._gives_up(name), name))

    def is_current(self) -> bool:
        """Whether the kernel has been told everything."""
        return not self.pending() and self._told_nodes == self._node_addresses

    def whole(self, names: Collection[str] | None = None) -> str:
        """The transaction that makes the table from nothing, with all Services or those named."""
        self._settle()
        chosen = self._chosen(names)
        text = rules.table(self.name, self._pod_cidr, chosen, self._node_addresses)
        hairpins = set[IPv4Address]().union(*map(rules.endpoint_addresses, chosen.values()))
        return "\n".join([text, *rules.change_hairpins(self.name, set(), hairpins)])

    def whole_told(self, names: Collection[str] | None = None) -> None:
        """Note that the kernel has taken `whole`."""
        self._told = self._chosen(names)
        self._told_nodes = self._node_addresses
        self._hairpins = Counter(each for wanted in self._told.values() for each in rules.endpoint_addresses(wanted))
        self._stale = self._wanted.keys() - self._told.keys()

    def commands(self, names: Iterable[str]) -> str:
        """The transaction for the changes of some Services, and of the nodes; "" if there are none."""
        chosen = list(names)
        changes = [rules.change(self.name, each, *self._before_and_after(each)) for each in chosen]
        lines = rules.in_order(changes)
        shift = self._hairpin_shift(chosen)
        before = {each for each in shift if self._hairpins[each]}
        after = {each for each, count in shift.items() if self._hairpins[each] + count}
        lines += rules.change_hairpins(self.name, before, after)
        lines += rules.change_nodes(self.name, self._told_nodes, self._node_addresses)
        return "\n".join(lines)

    def told(self, names: Iterable[str]) -> None:
        """Note that the kernel has taken `commands`."""
        chosen = list(names)
        for each, count in self._hairpin_shift(chosen).items():
            self._hairpins[each] += count
            if not self._hairpins[each]:
                del self._hairpins[each]
        for name in chosen:
            if name in self._wanted:
                self._told[name] = self._wanted[name]
            else:
                self._told.pop(name, None)
            self._stale.discard(name)
        self._told_nodes = self._node_addresses

    def put_off(self, names: Iterable[str]) -> None:
        """Leave Services as the kernel has them until they change, or `try_again`."""
        self._stale.difference_update(names)

    def try_again(self, names: Iterable[str]) -> None:
        """Look again at Services that were put off."""
        self._stale.update(names)

    def service(self, name: str) -> Object | None:
        """A Service, by `<namespace>/<name>`."""
        return self._services.get(name)

    def notices(self) -> list[Notice]:
        """What owners of Services should know that they have not been told yet."""
        self._settle()
        notices, self._notices = self._notices, []
        return notices

    def _settle(self) -> None:
        affected: set[str] = set()
        faults: dict[str, tuple[str, ...]] = {}
        while self._dirty:
            name = self._dirty.pop()
            service = self._services.get(name)
            asked = self._demand(name, service) if service is not None else Demand({})
            self._asked[name] = asked.frontends
            faults[name] = asked.faults
            claims = claims_of(name, service, asked) if service is not None else {}
            affected |= self._claims.change(name, claims)
        for name in affected:
            asked_for = self._asked.get(name, {})
            owners = {each: self._claims.owner(each) for each in asked_for}
            if name in self._services:
                self._wanted[name] = {each: asked_for[each] for each, owner in owners.items() if owner == name}
            else:
                self._wanted.pop(name, None)
                self._asked.pop(name, None)
            lost = {each: owner for each, owner in owners.items() if owner != name}
            self._notice(name, faults.get(name), lost)
            self._stale.add(name)

    def _demand(self, name: str, service: Object) -> Demand:
        try:
            return demand(service, self._slices.get(name, {}).values(), self._node)
        except MALFORMED:
            return Demand({}, faults=("the Service or one of its EndpointSlices is malformed: all of it is left out",))

    def _notice(self, name: str, faults: tuple[str, ...] | None, lost: dict[Frontend, str]) -> None:
        """Tell the owner of a Service what it has not; what was said before is not said again."""
        service, said = self._services.get(name), self._said.get(name, [])
        if service is None:
            self._said.pop(name, None)
            return
        about = {"apiVersion": "v1", "kind": "Service", "metadata": service["metadata"]}
        now = [("AddressConflict", _conflict_words(each, owner)) for each, owner in sorted(lost.items(), key=str)]
        if faults is None:
            now += [(each.reason, each.message) for each in said if each.reason == "InvalidAddress"]
        else:
            now += [("InvalidAddress", each) for each in faults]
        known = {(each.reason, each.message) for each in said}
        notices = [Notice(about, *each) for each in now]
        self._notices += [each for each in notices if (each.reason, each.message) not in known]
        if notices:
            self._said[name] = notices
        else:
            self._said.pop(name, None)

    def _before_and_after(self, name: str) -> tuple[Wanted, Wanted]:
        return self._told.get(name, {}), self._wanted.get(name, {})

    def _gives_up(self, name: str) -> bool:
        before, after = self._before_and_after(name)
        return not before.keys() <= after.keys()

    def _hairpin_shift(self, names: Iterable[str]) -> Counter[IPv4Address]:
        """By how many Services more or less each endpoint is used."""
        shift: Counter[IPv4Address] = Counter()
        for name in names:
            before, after = self._before_and_after(name)
            shift.subtract(rules.endpoint_addresses(before))
            shift.update(rules.endpoint_addresses(after))
        return shift

    def _chosen(self, names: Collection[str] | None) -> dict[str, Wanted]:
        return {name: wanted for name, wanted in self._wanted.items() if names is None or name in names}


def _conflict_words(frontend: Frontend, owner: str) -> str:
    place = f"{frontend.address or 'node port '}{':' if frontend.address else ''}{frontend.port}"
    return f"{place}/{frontend.protocol.name} belongs to the Service {owner}; this one cannot be reached there"
