"""nftables: from what Services want to the text of one atomic transaction.

One verdict map leads from `address . protocol . port` to a Service's chain, a second one from node ports; each chain
holds one rule with an anonymous map of its endpoints. So the cost of a packet does not grow with the number of
Services, and the cost of a change not with the number of endpoints elsewhere. Frontends without endpoints stand in
sets whose members are refused, as a closed port would be.

`table` makes everything anew, `change` the difference for one Service. All of it is text for libnftables, and this is
the one place where it is written: what goes in are addresses, numbers and protocols as values, and names made here.
Nothing here talks to the kernel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from kubus_proxy.services import Backend, Frontend, Wanted

MARK = "0x4000"
"""The packet mark of connections whose source is to be replaced; kube-proxy's, so that tools know it."""


def chain_name(service: str, frontend: Frontend) -> str:
    """The chain of a frontend: readable, unique, and within the kernel's limits."""
    place = f"{frontend.protocol} {frontend.address} {frontend.port}"
    digest = hashlib.blake2b(f"{service}|{place}".encode(errors="surrogatepass"), digest_size=6).hexdigest()
    readable = "".join(char if char.isascii() and char.isalnum() else "-" for char in service)[:40]
    return f"svc-{readable}-{frontend.port}-{digest}"


class Steps(NamedTuple):
    """Commands for one Service, in the order in which those of all Services of a transaction have to come.

    An address that goes from one Service to another has to be given up before it is taken.
    """

    chains: list[str]
    removed: list[str]
    added: list[str]
    ended: list[str]


def in_order(changes: Iterable[Steps]) -> list[str]:
    """The commands of several Services as one transaction."""
    return [command for step in zip(*changes, strict=True) for commands in step for command in commands]


def table(name: str, pod_cidr: IPv4Network, services: Mapping[str, Wanted], nodes: Iterable[IPv4Address] = ()) -> str:
    """The transaction that replaces the whole table: no packet sees it half made."""
    lines = [f"add table ip {name}", f"delete table ip {name}", _skeleton(name, pod_cidr)]
    lines += change_nodes(name, set(), set(nodes))
    lines += in_order(change(name, service, {}, wanted) for service, wanted in services.items())
    return "\n".join(lines)


def _skeleton(name: str, pod_cidr: IPv4Network) -> str:
    return f"""
table ip {name} {{
  map services {{ type ipv4_addr . inet_proto . inet_service : verdict; }}
  map node-ports {{ type inet_proto . inet_service : verdict; }}
  set refused-services {{ type ipv4_addr . inet_proto . inet_service; }}
  set refused-node-ports {{ type inet_proto . inet_service; }}
  set hairpins {{ type ipv4_addr . ipv4_addr; }}
  set nodes {{ type ipv4_addr; }}
  chain dispatch {{
    ip daddr . meta l4proto . th dport vmap @services
    ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @node-ports
  }}
  chain prerouting {{ type nat hook prerouting priority dstnat; policy accept; jump dispatch; }}
  chain output {{ type nat hook output priority -100; policy accept; jump dispatch; }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    meta mark and {MARK} == {MARK} masquerade
    ip saddr . ip daddr @hairpins masquerade
    ip saddr {pod_cidr} ip daddr != {pod_cidr} ip daddr != @nodes oifname != "lo" masquerade
  }}
  chain refuse {{
    ip daddr . meta l4proto . th dport @refused-services reject
    fib daddr type local meta l4proto . th dport @refused-node-ports reject
  }}
  chain forward-filter {{ type filter hook forward priority filter - 5; policy accept; ct state new jump refuse; }}
  chain input-filter {{ type filter hook input priority filter - 5; policy accept; ct state new jump refuse; }}
  chain output-filter {{ type filter hook output priority filter - 5; policy accept; ct state new jump refuse; }}
}}"""


def change(name: str, service: str, before: Wanted, after: Wanted) -> Steps:
    """Commands that lead one Service from one state to another; none if they are the same."""
    chains, removed, added, ended = steps = Steps([], [], [], [])
    for frontend, backend in after.items():
        old = before.get(frontend)
        if old == backend:
            continue
        if backend.endpoints:
            chain = chain_name(service, frontend)
            chains.append(f"add chain ip {name} {chain}")
            if old is not None and old.endpoints:
                chains.append(f"flush chain ip {name} {chain}")
            chains.extend(f"add rule ip {name} {chain} {rule}" for rule in _rules(frontend, backend))
        if old is None or bool(old.endpoints) != bool(backend.endpoints):
            if old is not None:
                removed.extend(_unlist(name, service, frontend, old))
                ended.extend(_end(name, service, frontend, old))
            added.extend(_list(name, service, frontend, backend))
    for frontend, backend in before.items():
        if frontend not in after:
            removed.extend(_unlist(name, service, frontend, backend))
            ended.extend(_end(name, service, frontend, backend))
    return steps


def change_hairpins(name: str, before: Set[IPv4Address], after: Set[IPv4Address]) -> list[str]:
    """Commands for the endpoints whose connections to themselves need another source."""
    return _change_set(name, "hairpins", before, after, "{0} . {0}")


def change_nodes(name: str, before: Set[IPv4Address], after: Set[IPv4Address]) -> list[str]:
    """Commands for the nodes' addresses, which pods reach under their own."""
    return _change_set(name, "nodes", before, after, "{0}")


def endpoint_addresses(wanted: Wanted) -> set[IPv4Address]:
    """All addresses that a Service leads to."""
    return {each.address for backend in wanted.values() for each in backend.endpoints}


def _change_set(name: str, which: str, before: Set[IPv4Address], after: Set[IPv4Address], element: str) -> list[str]:
    commands = []
    for verb, addresses in (("delete", before - after), ("add", after - before)):
        if addresses:
            elements = ", ".join(element.format(each) for each in sorted(addresses, key=int))
            commands.append(f"{verb} element ip {name} {which} {{ {elements} }}")
    return commands


def _rules(frontend: Frontend, backend: Backend) -> list[str]:
    rules = [f"meta mark set meta mark or {MARK}"] if backend.masquerade else []
    count = len(backend.endpoints)
    choice = f"jhash ip saddr mod {count}" if backend.sticky else f"numgen random mod {count}"
    choices = ", ".join(f"{n} : {each.address} . {each.port}" for n, each in enumerate(backend.endpoints))
    proto = f"meta l4proto {frontend.protocol} "
    if count == 1:
        only = backend.endpoints[0]
        rules.append(f"{proto}dnat to {only.address}:{only.port}")
    else:
        rules.append(f"{proto}dnat ip addr . port to {choice} map {{ {choices} }}")
    return rules


def _element(frontend: Frontend) -> tuple[str, str, str]:
    """(map, set of the refused, element)."""
    if frontend.address is not None:
        return "services", "refused-services", f"{frontend.address} . {frontend.protocol} . {frontend.port}"
    return "node-ports", "refused-node-ports", f"{frontend.protocol} . {frontend.port}"


def _list(name: str, service: str, frontend: Frontend, backend: Backend) -> list[str]:
    leads, refused, element = _element(frontend)
    if backend.endpoints:
        return [f"add element ip {name} {leads} {{ {element} : goto {chain_name(service, frontend)} }}"]
    return [f"add element ip {name} {refused} {{ {element} }}"]


def _unlist(name: str, service: str, frontend: Frontend, backend: Backend) -> list[str]:
    leads, refused, element = _element(frontend)
    if backend.endpoints:
        return [f"delete element ip {name} {leads} {{ {element} : goto {chain_name(service, frontend)} }}"]
    return [f"delete element ip {name} {refused} {{ {element} }}"]


def _end(name: str, service: str, frontend: Frontend, backend: Backend) -> list[str]:
    if not backend.endpoints:
        return []
    chain = chain_name(service, frontend)
    return [f"flush chain ip {name} {chain}", f"delete chain ip {name} {chain}"]
