"""`kubus kubeconfig`: credentials for a user, signed by the cluster's authority.

The certificate's common name is the user and its organizations are the groups, as the API reads them; what they may do
is for roles to say. Whoever may read the authority's key may be anybody, so this is for root, as `kubus up` is.
A certificate cannot be called back: give it a short life, or take the user's role away.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kubus.model.yaml_writing import write_yaml
from kubus_cli import kubeconfigs, pki
from kubus_cli.advice import command_for
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure, Misused

DAYS = 30
DAYS_MAX = 3650
_NAME_LENGTH_MAX = 64
"""Of a common name or organization, as X.509 has it."""


def kubeconfig_of(cluster: Cluster, user: str, groups: Sequence[str], days: int, now: datetime) -> kubeconfigs.Document:
    """A kubeconfig with one context, everything in it.

    Raises:
        Misused: no certificate can say this.
        Failure: the cluster has no authority.
    """
    if not user or any(not 0 < len(each) <= _NAME_LENGTH_MAX for each in (user, *groups)):
        raise Misused(f"a user and a group have 1 to {_NAME_LENGTH_MAX} characters")
    if not 0 < days <= DAYS_MAX:
        raise Misused(f"--days is between 1 and {DAYS_MAX}")
    authority = pki.authority_of(cluster.pki_dir)
    if authority is None:
        advice = f"start the cluster: {command_for(cluster, 'up')}"
        raise Failure(f"there is no certificate authority in {cluster.pki_dir}", advice)
    pair = pki.issue(pki.Wanted("", user, tuple(groups)), authority, now, timedelta(days=days))
    server = f"https://127.0.0.1:{cluster.ports.api}"
    ca = (cluster.pki_dir / f"{pki.CA}.crt").read_bytes()
    made = kubeconfigs.document(cluster.name, server, ca, pki.certificate_pem(pair), pki.key_pem(pair))
    return kubeconfigs.for_user(made, f"{cluster.name}-{user}")


def as_text(document: kubeconfigs.Document) -> str:
    """A kubeconfig as YAML."""
    return write_yaml(document).decode()
