"""The proxy's state: which Services there are, and what the kernel has been told. No I/O.

Objects come in by `changed`; `commands` gives the transaction that brings the kernel up to date and remembers that
it has been told. Only Services that something has changed about are worked out anew.
"""

from __future__ import annotations

from collections import Counter

from kubus.model.objects import Key, Object, labels_of, namespace_of, path_of
from kubus_proxy import rules
from kubus_proxy.services import SERVICE_NAME, Wanted, wanted


class ProxyTable:
    """What the table in the kernel holds and should hold."""

    def __init__(self, name: str, pod_cidr: str, node: str) -> None:
        self.name = name
        self._pod_cidr = pod_cidr
        self._node = node
        self._services: dict[str, Object] = {}
        self._slices: dict[str, dict[str, Object]] = {}
        self._slice_owner: dict[str, str] = {}
        self._nodes: dict[str, set[str]] = {}
        self._told: dict[str, Wanted] = {}
        self._told_nodes: set[str] = set()
        self._hairpins: Counter[str] = Counter()
        self._dirty: set[str] = set()

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
        addresses = path_of(node, "status", "addresses", default=()) if node is not None else ()
        self._nodes[key.name] = {each["address"] for each in addresses if _is_ipv4(each)}

    def whole(self) -> str:
        """The transaction that makes the table from nothing, and forget what was told before."""
        self._told = {name: self._wanted(name) for name in self._services}
        self._told_nodes = set().union(*self._nodes.values())
        self._hairpins = Counter(a for each in self._told.values() for a in rules.endpoint_addresses([each]))
        self._dirty.clear()
        text = rules.table(self.name, self._pod_cidr, self._told, self._told_nodes)
        return "\n".join([text, *rules.change_hairpins(self.name, set(), set(self._hairpins))])

    def commands(self) -> str:
        """The transaction for what has changed since; "" if nothing has."""
        lines: list[str] = []
        before_hairpins = set(+self._hairpins)
        for name in sorted(self._dirty):
            before, after = self._told.get(name, {}), self._wanted(name)
            lines += rules.change(self.name, name, before, after)
            self._hairpins.subtract(rules.endpoint_addresses([before]))
            self._hairpins.update(rules.endpoint_addresses([after]))
            if name in self._services:
                self._told[name] = after
            else:
                self._told.pop(name, None)
        self._dirty.clear()
        self._hairpins = +self._hairpins
        lines += rules.change_hairpins(self.name, before_hairpins, set(self._hairpins))
        nodes = set().union(*self._nodes.values())
        lines += rules.change_nodes(self.name, self._told_nodes, nodes)
        self._told_nodes = nodes
        return "\n".join(lines)

    def _wanted(self, name: str) -> Wanted:
        service = self._services.get(name)
        return wanted(service, self._slices.get(name, {}).values(), self._node) if service is not None else {}


def _is_ipv4(address: dict[str, str]) -> bool:
    return address.get("type") in ("InternalIP", "ExternalIP") and ":" not in address.get("address", ":")
