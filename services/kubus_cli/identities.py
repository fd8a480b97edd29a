"""Who there is in a cluster, and what their certificates say.

A certificate's common name is the user, its organizations are the user's groups. There are three authorities: the
cluster's own, which signs people and approved requests; the bus's, which signs the identities here; and etcd's.
"""

from __future__ import annotations

from typing import NamedTuple


class Identity(NamedTuple):
    """A user: certificate subject and the stem of its files."""

    user: str
    """Common name."""
    file: str
    """Stem of `<file>.crt` and `<file>.key`."""
    groups: tuple[str, ...] = ()
    """Organizations."""

    @property
    def distinguished_name(self) -> str:
        """The subject as NATS compares it: RFC 2253, common name first."""
        return ",".join([f"CN={self.user}", *(f"O={group}" for group in self.groups)])


APISERVER = Identity("system:apiserver", "apiserver")
RELAY = Identity("system:relay", "relay")
SCHEDULER = Identity("system:kube-scheduler", "scheduler")
CONTROLLERS = Identity("system:kube-controller-manager", "controllers")
PROXY = Identity("system:kube-proxy", "proxy")
ETCD_ROOT = Identity("root", "etcd-root")
ADMIN = Identity("kubernetes-admin", "admin", ("system:masters",))
ADMIN_ON_BUS = ADMIN._replace(file="admin-bus")
TAP = Identity("kubus:tap", "tap")
"""Reads events and the journal, and does nothing else."""
ON_BUS = (APISERVER, RELAY, SCHEDULER, CONTROLLERS, PROXY, ADMIN_ON_BUS)
"""Every user of the bus but the kubelets and the tap."""


def etcd_client(identity: Identity) -> Identity:
    """The identity under which a service is known to etcd: the same user, with files and an authority of its own."""
    return Identity(identity.user, f"etcd-{identity.file}")


def kubelet(node: str) -> Identity:
    """The identity of a node's kubelet."""
    return Identity(f"system:node:{node}", f"kubelet-{node}", ("system:nodes",))
