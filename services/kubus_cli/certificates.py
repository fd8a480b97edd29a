"""Certificates that the authority of the API signs when a cluster is made: the apiserver's, the administrator's."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from kubus_cli import identities, pki
from kubus_cli.clusters import DEFAULT_DOMAIN

LOCAL = ("localhost", "127.0.0.1")


def wanted_certificates(
    names: Iterable[str], service_cidr: IPv4Network, domain: str = DEFAULT_DOMAIN
) -> list[pki.Wanted]:
    """The apiserver's serving certificate, for names and addresses, and the administrator's client certificate."""
    return [apiserver_certificate(names, service_cidr, domain), pki.client_of(identities.ADMIN)]


def apiserver_certificate(names: Iterable[str], service_cidr: IPv4Network, domain: str = DEFAULT_DOMAIN) -> pki.Wanted:
    """The apiserver's serving certificate, with the names under which pods reach it."""
    inside = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{domain}")
    return pki.Wanted("apiserver-serving", "kube-apiserver", names=(*names, *inside, str(service_cidr[1])))
