"""The network of a one-machine cluster: a bridge, and one network namespace a node.

    host ── kubus<n> (bridge, 172.30.<n>.1/24) ──┬── veth ── node-1: eth0 172.30.<n>.10
                                                 └── veth ── node-2: eth0 172.30.<n>.11

The host forwards between nodes and, masqueraded by a table of the cluster's own, to the world. Everything made here
bears the cluster's tag in its name, so that `remove` needs no memory, and its owner's mark (`kubus_cli.ownership`): a
link as its alias, a namespace as the alias of its loopback device, a table as its comment. What bears another mark is
another cluster's, and is neither used nor removed.
"""

from __future__ import annotations

import contextlib
import subprocess
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from pathlib import Path

from kubus.model.codec import from_json
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure
from kubus_cli.outside_commands import run_command
from kubus_cli.ownership import mark_of, other_claims

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
NETNS_DIR = Path("/run/netns")
FORWARDING_BEFORE = "ip_forward.before"


def bridge_commands(cluster: Cluster) -> list[str]:
    """`ip -batch` lines that make the bridge."""
    tag = cluster.tag
    return [
        f"link add {tag} type bridge",
        f"link set {tag} alias {mark_of(cluster)}",
        f"address add {cluster.host_address}/{cluster.node_network.prefixlen} dev {tag}",
        f"link set {tag} up",
    ]


def node_commands(cluster: Cluster, node: str) -> tuple[list[str], list[str]]:
    """`ip -batch` lines that link a node's namespace: on the host, then in it."""
    netns, veth = cluster.netns(node), veth_name(cluster, node)
    host = [
        f"link add {veth} type veth peer name eth0 netns {netns}",
        f"link set {veth} alias {mark_of(cluster)}",
        f"link set {veth} master {cluster.tag} up",
    ]
    inside = [
        "link set lo up",
        f"address add {cluster.node_address(node)}/{cluster.node_network.prefixlen} dev eth0",
        "link set eth0 up",
        f"route add default via {cluster.host_address}",
    ]
    return host, inside


def veth_name(cluster: Cluster, node: str) -> str:
    """The host's end of a node's link; interface names have 15 characters."""
    return f"{cluster.tag}v{cluster.node_slot(node)}"


def masquerade_rules(cluster: Cluster) -> str:
    """The nft table through which nodes reach the world; idempotent."""
    inside = f"{{ {cluster.node_network}, {cluster.pod_cidr}, {cluster.service_cidr} }}"
    return f"""\
add table ip {cluster.tag}
delete table ip {cluster.tag}
table ip {cluster.tag} {{
  comment "{mark_of(cluster)}"
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {cluster.node_network} ip daddr != {inside} masquerade
  }}
}}
"""


def set_up(cluster: Cluster) -> None:
    """Make what is not there yet; the cluster owns its number.

    Raises:
        Failure: the kernel refuses, or another cluster's things are there.
    """
    bridge = link_alias(cluster.tag)
    if bridge is None:
        _batch(bridge_commands(cluster))
        run_command(["nft", "-f", "-"], masquerade_rules(cluster))
    elif bridge != mark_of(cluster):
        raise Failure(f"the link {cluster.tag} is another cluster's", f"see: ip link show {cluster.tag}")
    _forward(cluster)
    for node in cluster.nodes:
        _set_up_node(cluster, node)


def _set_up_node(cluster: Cluster, node: str) -> None:
    netns = cluster.netns(node)
    alias = namespace_alias(netns)
    if alias == mark_of(cluster):
        return
    if alias:
        raise Failure(f"the network namespace {netns} is another cluster's", "see: ip netns list")
    if alias is not None:  # a start that was interrupted before the mark was set
        _try(["ip", "netns", "delete", netns])
    host, inside = node_commands(cluster, node)
    run_command(["ip", "netns", "add", netns])
    _batch(host)
    _batch(inside, netns)
    run_command(["ip", "netns", "exec", netns, "sh", "-c", f"echo 1 > {FORWARDING}"])
    _batch([f"link set lo alias {mark_of(cluster)}"], netns)  # last: what bears the mark is whole


def remove(cluster: Cluster) -> None:
    """Take away every namespace, link and table of a cluster that owns its number; what is gone already is well."""
    mine = (mark_of(cluster), "")
    for path in sorted(NETNS_DIR.glob(f"{cluster.tag}-*")):
        if namespace_alias(path.name) in mine:
            _try(["ip", "netns", "delete", path.name])
    if link_alias(cluster.tag) in mine:
        _try(["ip", "link", "delete", cluster.tag])
    for family, name, comment in tables():
        if (name == cluster.tag or name.startswith(f"{cluster.tag}-")) and comment in mine:
            _try(["nft", "delete", "table", family, name])
    _stop_forwarding(cluster)


def nodes_of(number: int) -> tuple[str, ...]:
    """The nodes whose network namespaces bear a number."""
    beginning = f"kubus{number}-"
    return tuple(path.name.removeprefix(beginning) for path in sorted(NETNS_DIR.glob(f"{beginning}*")))


def remove_node(cluster: Cluster, node: str) -> None:
    """Take away the namespace of a node, and with it the link that leads there."""
    if namespace_alias(cluster.netns(node)) in (mark_of(cluster), ""):
        _try(["ip", "netns", "delete", cluster.netns(node)])


def link_alias(name: str, netns: str = "") -> str | None:
    """The alias of a link, "" where it has none; None where there is no such link."""
    where = ["-netns", netns] if netns else []
    with contextlib.suppress(Failure):
        found = from_json(run_command(["ip", *where, "-json", "link", "show", "dev", name]) or "[]")
        return str(found[0].get("ifalias", "")) if found else None
    return None


def namespace_alias(netns: str) -> str | None:
    """The mark of a network namespace, "" where it has none; None where there is no such namespace."""
    if not (NETNS_DIR / netns).exists():
        return None
    return link_alias("lo", netns) or ""


def taken_networks() -> list[IPv4Network]:
    """The ranges that the machine's routes lead to."""
    networks: list[IPv4Network] = []
    for route in from_json(run_command(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]"):
        with contextlib.suppress(AddressValueError, NetmaskValueError, ValueError):
            network = IPv4Network(route.get("dst", ""), strict=False)
            if network.prefixlen >= 8:
                networks.append(network)
    return networks


def tables() -> list[tuple[str, str, str]]:
    """(family, name, comment) of every nft table."""
    listed = from_json(run_command(["nft", "--json", "list", "tables"]) or "{}").get("nftables", [])
    found = [each["table"] for each in listed if "table" in each]
    return [(each["family"], each["name"], each.get("comment", "")) for each in found]


def _forward(cluster: Cluster) -> None:
    before = FORWARDING.read_text().strip()
    if before != "1":
        (cluster.run_dir / FORWARDING_BEFORE).write_text(before)
        FORWARDING.write_text("1")


def _stop_forwarding(cluster: Cluster) -> None:
    """Put forwarding back as it was; the last cluster that is up does it for all."""
    note = cluster.run_dir / FORWARDING_BEFORE
    if not note.exists():
        return
    others = other_claims(cluster.home, cluster.run_root)
    if others:
        note.replace(cluster.run_root / f"kubus{others[0].number}" / FORWARDING_BEFORE)
    else:
        FORWARDING.write_text(note.read_text())
        note.unlink()


def _batch(lines: list[str], netns: str = "") -> None:
    where = ["-netns", netns] if netns else []
    run_command(["ip", *where, "-batch", "-"], "".join(f"{line}\n" for line in lines))


def _try(command: list[str]) -> None:
    subprocess.run(command, capture_output=True, check=False)
