"""The network of a one-machine cluster: a bridge, and one network namespace a node.

    host ── kubus<n> (bridge, 172.30.<n>.1/24) ──┬── veth ── node-1: eth0 172.30.<n>.10
                                                 └── veth ── node-2: eth0 172.30.<n>.11

The host forwards between nodes and, masqueraded by a table of the cluster's own, to the world. Everything made here
bears the cluster's tag, so that `remove` needs no memory: it takes away whatever has it.
"""

from __future__ import annotations

import contextlib
import subprocess
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from pathlib import Path

from kubus.model.codec import from_json
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
NETNS_DIR = Path("/run/netns")
FORWARDING_BEFORE = "ip_forward.before"


def bridge_commands(cluster: Cluster) -> list[str]:
    """`ip -batch` lines that make the bridge."""
    tag = cluster.tag
    return [
        f"link add {tag} type bridge",
        f"address add {cluster.host_address}/{cluster.node_network.prefixlen} dev {tag}",
        f"link set {tag} up",
    ]


def node_commands(cluster: Cluster, node: str) -> tuple[list[str], list[str]]:
    """`ip -batch` lines that make a node: on the host, then in its namespace."""
    netns, veth = cluster.netns(node), veth_name(cluster, node)
    host = [
        f"netns add {netns}",
        f"link add {veth} type veth peer name eth0 netns {netns}",
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
    return f"{cluster.tag}v{cluster.nodes.index(node)}"


def masquerade_rules(cluster: Cluster) -> str:
    """The nft table through which nodes reach the world; idempotent."""
    inside = f"{{ {cluster.node_network}, {cluster.pod_cidr}, {cluster.service_cidr} }}"
    return f"""\
add table ip {cluster.tag}
delete table ip {cluster.tag}
table ip {cluster.tag} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {cluster.node_network} ip daddr != {inside} masquerade
  }}
}}
"""


def set_up(cluster: Cluster) -> None:
    """Make what is not there yet.

    Raises:
        Failure: the kernel refuses.
    """
    if not _link_exists(cluster.tag):
        _batch(bridge_commands(cluster))
        _run(["nft", "-f", "-"], masquerade_rules(cluster))
    _forward(cluster)
    for node in cluster.nodes:
        if not (NETNS_DIR / cluster.netns(node)).exists():
            host, inside = node_commands(cluster, node)
            _batch(host)
            _batch(inside, cluster.netns(node))
            _run(["ip", "netns", "exec", cluster.netns(node), "sysctl", "-qw", "net.ipv4.ip_forward=1"])


def remove(cluster: Cluster) -> None:
    """Take away every namespace, link and table of the cluster; whatever is gone already is well."""
    for path in sorted(NETNS_DIR.glob(f"{cluster.tag}-*")):
        _try(["ip", "netns", "delete", path.name])
    _try(["ip", "link", "delete", cluster.tag])
    for table in tables():
        if table[1] == cluster.tag or table[1].startswith(f"{cluster.tag}-"):
            _try(["nft", "delete", "table", *table])
    _stop_forwarding(cluster)


def taken_networks() -> list[IPv4Network]:
    """The ranges that the machine's routes lead to."""
    networks: list[IPv4Network] = []
    for route in from_json(_run(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]"):
        with contextlib.suppress(AddressValueError, NetmaskValueError, ValueError):
            network = IPv4Network(route.get("dst", ""), strict=False)
            if network.prefixlen >= 8:
                networks.append(network)
    return networks


def tables() -> list[tuple[str, str]]:
    """(family, name) of every nft table."""
    listed = from_json(_run(["nft", "--json", "list", "tables"]) or "{}").get("nftables", [])
    return [(each["table"]["family"], each["table"]["name"]) for each in listed if "table" in each]


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
    others = [each for each in cluster.run_dir.parent.glob("kubus*") if each != cluster.run_dir and any(each.iterdir())]
    if others:
        note.replace(others[0] / FORWARDING_BEFORE)
    else:
        FORWARDING.write_text(note.read_text())
        note.unlink()


def _link_exists(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def _batch(lines: list[str], netns: str = "") -> None:
    where = ["-netns", netns] if netns else []
    _run(["ip", *where, "-batch", "-"], "".join(f"{line}\n" for line in lines))


def _run(command: list[str], given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(command[:3])}: {done.stderr.strip() or f'exit status {done.returncode}'}")
    return done.stdout


def _try(command: list[str]) -> None:
    subprocess.run(command, capture_output=True, check=False)
