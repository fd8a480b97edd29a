"""A one-machine cluster as data: its name, ports, addresses and nodes; kept in `<home>/cluster.json`.

Several clusters can live on one machine side by side (`kubus_cli.ownership`). Whatever would collide is made of the
cluster's number: the bridge and the nft table `kubus<n>`, the network namespaces `kubus<n>-<node>`, the ranges
172.30.<n>.0/24 (nodes), 10.(96+n).0.0/16 (services) and 10.(244-n).0.0/16 (pods). Deciding is pure: what is taken on
the machine is given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, ip_address
from itertools import islice
from pathlib import Path
from typing import Any

from kubus.model.codec import DecodeError, from_json, to_json_pretty
from kubus.model.names import is_dns_subdomain
from kubus_cli.failures import Failure, Misused
from kubus_cli.private_files import write_private

NUMBERS = range(64)
FIRST_NODE_ADDRESS = 10
NODES_MAX = 200
RUN_ROOT = Path("/run/kubus")
DEFAULT_HOME = Path("/var/lib/kubus")
DEFAULT_NAME = "kubus"
DEFAULT_DOMAIN = "cluster.local"
FILE = "cluster.json"
_REPAIR = 'its data is untouched: mend the file; it holds "name", "number", "ports", "nodes" and "apiservers"'


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on 127.0.0.1."""

    api: int
    etcd: int
    etcd_peer: int
    nats: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a cluster on this machine is made of."""

    name: str
    home: Path
    number: int
    ports: Ports
    nodes: tuple[str, ...]
    apiservers: int = 1
    """Processes that share the API's port."""
    dns: str = ""
    """The nameserver of pods; "" gives them the machine's own."""
    domain: str = DEFAULT_DOMAIN
    """The domain of Services' names."""
    run_root: Path = RUN_ROOT
    """The machine's run directories."""

    @property
    def run_dir(self) -> Path:
        """Sockets and process ids; short, because a Unix socket's path is limited to 107 bytes."""
        return self.run_root / self.tag

    @property
    def tag(self) -> str:
        """`kubus0`: bridge, nft table, beginning of network namespaces."""
        return f"kubus{self.number}"

    @property
    def pki_dir(self) -> Path:
        """Certificates and keys."""
        return self.home / "pki"

    @property
    def log_dir(self) -> Path:
        """One log an instance."""
        return self.home / "log"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.home / "kubeconfig"

    @property
    def node_network(self) -> IPv4Network:
        """The range of the bridge."""
        return IPv4Network(f"172.30.{self.number}.0/24")

    @property
    def host_address(self) -> str:
        """The bridge's own address."""
        return str(self.node_network[1])

    @property
    def service_cidr(self) -> IPv4Network:
        """ClusterIPs."""
        return IPv4Network(f"10.{96 + self.number}.0.0/16")

    @property
    def pod_cidr(self) -> IPv4Network:
        """Pods of all nodes."""
        return IPv4Network(f"10.{244 - self.number}.0.0/16")

    def node_address(self, node: str) -> str:
        """A node's address on the bridge."""
        return str(self.node_network[FIRST_NODE_ADDRESS + self.node_slot(node)])

    def node_slot(self, node: str) -> int:
        """A node's place on the bridge, from the number in its name: it stays when other nodes are removed."""
        return int(node.rpartition("-")[2]) - 1

    def netns(self, node: str) -> str:
        """The name of a node's network namespace."""
        return f"{self.tag}-{node}"

    def log_file(self, instance: str) -> Path:
        """Where an instance's log goes."""
        return self.log_dir / f"{instance}.log"

    def with_nodes(self, count: int) -> Cluster:
        """The cluster with at least so many nodes; those that are there stay."""
        if count > NODES_MAX:
            raise Failure(f"{count} nodes do not fit on one bridge", f"at most {NODES_MAX}")
        free = (name for number in range(1, NODES_MAX + 1) if (name := f"node-{number}") not in self.nodes)
        more = tuple(islice(free, max(0, count - len(self.nodes))))
        return replace(self, nodes=self.nodes + more)

    def without_node(self, node: str) -> Cluster:
        """The cluster without a node; the others stay as they are."""
        return replace(self, nodes=tuple(each for each in self.nodes if each != node))

    def with_apiservers(self, count: int) -> Cluster:
        """The cluster with at least so many apiservers."""
        return replace(self, apiservers=max(self.apiservers, count))

    def with_dns(self, address: str, domain: str) -> Cluster:
        """The cluster whose pods ask this nameserver and search this domain; "" keeps what it has.

        Raises:
            Misused: they cannot be such.
        """
        if address:
            try:
                address = str(ip_address(address))
            except ValueError:
                raise Misused(f"--cluster-dns: {address!r} is no IP address", "like 10.96.0.10") from None
        if domain and not is_dns_subdomain(domain):
            raise Misused(f"--cluster-domain: {domain!r} is no domain", "like cluster.local")
        return replace(self, dns=address or self.dns, domain=domain or self.domain)


def ranges_of(number: int) -> tuple[IPv4Network, ...]:
    """The address ranges that a cluster of this number uses."""
    probe = Cluster("", Path(), number, Ports(0, 0, 0, 0), ())
    return (probe.node_network, probe.service_cidr, probe.pod_cidr)


def free_number(used: Set[int], networks: Iterable[IPv4Network]) -> int:
    """The lowest number that no cluster has and whose ranges overlap nothing on the machine.

    Raises:
        Failure: there is none.
    """
    taken = list(networks)
    for number in NUMBERS:
        ranges = ranges_of(number)
        if number not in used and not any(mine.overlaps(other) for mine in ranges for other in taken):
            return number
    raise Failure("no address range is free for another cluster", "stop one: kubus down --name NAME --home HOME")


def save(cluster: Cluster) -> None:
    """Write cluster.json."""
    cluster.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(cluster.home / FILE, to_json_pretty(to_document(cluster)))


def to_document(cluster: Cluster) -> dict[str, Any]:
    """cluster.json's content."""
    ports = cluster.ports
    return {
        "name": cluster.name,
        "number": cluster.number,
        "ports": {"api": ports.api, "etcd": ports.etcd, "etcd_peer": ports.etcd_peer, "nats": ports.nats},
        "nodes": list(cluster.nodes),
        "apiservers": cluster.apiservers,
        "dns": cluster.dns,
        "domain": cluster.domain,
    }


def load(home: Path) -> Cluster | None:
    """The cluster of a home; None where there has been none.

    Raises:
        Failure: the file is damaged.
    """
    path = home / FILE
    try:
        document = from_json(path.read_bytes())
        ports = Ports(**{key: int(value) for key, value in document["ports"].items()})
        nodes, apiservers = tuple(document["nodes"]), int(document.get("apiservers", 1))
        dns, domain = str(document.get("dns", "")), str(document.get("domain", DEFAULT_DOMAIN))
        return Cluster(document["name"], home, int(document["number"]), ports, nodes, apiservers, dns, domain)
    except FileNotFoundError:
        return None
    except (DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Failure(f"{path} is damaged: {error}", _REPAIR) from None


def load_all(homes: Iterable[Path]) -> list[Cluster]:
    """The clusters of homes; damaged and empty ones are left out."""
    found: list[Cluster] = []
    for home in homes:
        with contextlib.suppress(OSError, Failure):
            cluster = load(home)
            if cluster is not None:
                found.append(cluster)
    return found


def default_home(name: str) -> Path:
    """The home of a cluster for which none was given."""
    return DEFAULT_HOME if name in ("", DEFAULT_NAME) else DEFAULT_HOME.with_name(f"kubus-{name}")
