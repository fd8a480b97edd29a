"""What a proxy is told."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

POD_CIDR = IPv4Network("10.244.0.0/16")
SERVICE_CIDR = IPv4Network("10.96.0.0/16")


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """See `kubus.service.settings`."""

    node_name: str = ""
    """The node whose traffic this is; "" on a machine that is no node but wants to reach Services."""
    node_netns: str = ""
    """The node's network namespace, as a path; "" is the process's own."""
    pod_cidr: IPv4Network = POD_CIDR
    """All pods of the cluster: what leaves this range is masqueraded."""
    service_cidr: IPv4Network = SERVICE_CIDR
    table: str = "kubus-proxy"
    """The nftables table, this proxy's alone: it is replaced whole at the start."""
    settle_seconds: float = 0.01
    """How long changes are gathered before they become one transaction: a burst costs one."""
