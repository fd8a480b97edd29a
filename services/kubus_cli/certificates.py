"""Which certificates a cluster has."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from kubus_cli import identities, pki
from kubus_cli.clusters import Cluster

LOCAL = ("localhost", "127.0.0.1")


def wanted_certificates(cluster: Cluster) -> list[pki.Wanted]:
    """Every certificate of a one-machine cluster that its common authority signs."""
    users = (*identities.FIXED, *(identities.kubelet(node) for node in cluster.nodes))
    return [
        pki.Wanted("nats", "nats", names=LOCAL),
        apiserver_certificate((*LOCAL, cluster.host_address), cluster.service_cidr),
        *(pki.client_of(user) for user in users),
    ]


def apiserver_certificate(names: Iterable[str], service_cidr: IPv4Network) -> pki.Wanted:
    """The apiserver's serving certificate, with the names under which pods reach it."""
    inside = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    return pki.Wanted("apiserver-serving", "kube-apiserver", names=(*names, *inside, str(service_cidr[1])))
