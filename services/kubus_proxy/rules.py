"""nftables: from what Services want to the text of one atomic transaction.

One verdict map leads from `address . protocol . port` to a Service's chain, a second one from node ports; each chain
holds one rule with an anonymous map of its endpoints. So the cost of a packet does not grow with the number of
Services, and the cost of a change not with the number of endpoints elsewhere. Frontends without endpoints stand in
sets whose members are refused, as a closed port would be.

`table` makes everything anew, `change` the difference for one Service. All of it is text for libnftables; nothing
here talks to the kernel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from kubus_proxy.services import Backend, Frontend, Wanted

MARK = "0x4000"
"""The packet mark of connections whose source is to be replaced; kube-proxy's, so that tools know it."""


def chain_name(service: str, frontend: Frontend) -> str:
    """The chain of a frontend: readable, unique, and within the kernel's limits."""
    digest = hashlib.blake2b(f"{service}|{frontend}".encode(), digest_size=6).hexdigest()
    readable = "".join(char if char.isalnum() else "-" for char in service)[:40]
    return f"svc-{readable}-{frontend.port}-{digest}"


def table(name: str, pod_cidr: str, services: Mapping[str, Wanted], nodes: Iterable[str] = ()) -> str:
    """The transaction that replaces the whole table: no packet sees it half made."""
    lines = [f"add table ip {name}", f"delete table ip {name}", _skeleton(name, pod_cidr)]
    lines += change_nodes(name, set(), set(nodes))
    for service, wanted in services.items():
        lines += change(name, service, {}, wanted)
    return "\n".join(lines)


def _skeleton(name: str, pod_cidr: str) -> str:
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


def change(name: str, service: str, before: Wanted, after: Wanted) -> list[str]:
    """Commands that lead one Service from one state to another; none if they are the same."""
    chains: list[str] = []
    removed: list[str] = []
    added: list[str] = []
    ended: list[str] = []
    for frontend, backend in after.items():
        old = before.get(frontend)
        if old == backend:
            continue
        if backend.endpoints:
            chain = chain_name(service, frontend)
            chains.append(f"add chain ip {name} {chain}")
            if old is not None and old.endpoints:
                chains.append(f"flush chain ip {name} {chain}")
            chains += [f"add rule ip {name} {chain} {rule}" for rule in _rules(frontend, backend)]
        if old is None or bool(old.endpoints) != bool(backend.endpoints):
            if old is not None:
                removed += _unlist(name, service, frontend, old)
                ended += _end(name, service, frontend, old)
            added += _list(name, service, frontend, backend)
    for frontend, backend in before.items():
        if frontend not in after:
            removed += _unlist(name, service, frontend, backend)
            ended += _end(name, service, frontend, backend)
    return chains + removed + added + ended


def change_hairpins(name: str, before: set[str], after: set[str]) -> list[str]:
    """Commands for the endpoints whose connections to themselves need another source."""
    return _change_set(
        name, "hairpins", {f"{each} . {each}" for each in before}, {f"{each} . {each}" for each in after}
    )


def change_nodes(name: str, before: set[str], after: set[str]) -> list[str]:
    """Commands for the nodes' addresses, which pods reach under their own."""
    return _change_set(name, "nodes", before, after)


def endpoint_addresses(services: Iterable[Wanted]) -> set[str]:
    """All addresses that Services lead to."""
    return {each.address for wanted in services for backend in wanted.values() for each in backend.endpoints}


def _change_set(name: str, which: str, before: set[str], after: set[str]) -> list[str]:
    commands = []
    for verb, elements in (("delete", before - after), ("add", after - before)):
        if elements:
            commands.append(f"{verb} element ip {name} {which} {{ {', '.join(sorted(elements))} }}")
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
    if frontend.address:
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
