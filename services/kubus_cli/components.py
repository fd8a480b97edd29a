"""What a one-machine cluster runs: each process, its environment, and what has to be ready before it.

    etcd and its users, nats  →  apiserver, relay  →  scheduler, controllers, kubelets, proxies (one for the host)

Everything a service is told is an environment variable (`kubus.service.settings`), here as in a compose file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubus.service.settings import PREFIX
from kubus_cli import audit_policy, etcd_server, identities, pki
from kubus_cli.clusters import Cluster
from kubus_cli.identities import Identity

HANDED_ON = ("KUBUS_LOG_LEVEL", "KUBUS_LOG_FORMAT")
SERVERS = ("etcd", "etcd-access", "nats")
FRONT = ("apiserver", "relay")


@dataclass(frozen=True, slots=True)
class Component:
    """One process to keep running."""

    instance: str
    service: str = ""
    """The entry point of a service; or a program:"""
    command: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Instances that have to have been ready once."""
    ready_port: int = 0
    """A port on 127.0.0.1 whose answering means ready, of a program that gives no notice of it."""
    ends: bool = False
    """It does its work and ends; that it ended with status 0 means ready."""


def components(cluster: Cluster, programs: Mapping[str, str], environ: Mapping[str, str]) -> list[Component]:
    """Every process of a cluster; `programs` are the paths of etcd and nats-server."""
    ports = cluster.ports
    return [
        Component("etcd", command=tuple(etcd_server.command(programs["etcd"], cluster))),
        _etcd_access(cluster, environ),
        Component(
            "nats",
            command=(programs["nats-server"], "--config", str(cluster.home / "nats.conf")),
            ready_port=ports.nats,
        ),
        *(_apiserver(cluster, number, environ) for number in range(1, cluster.apiservers + 1)),
        _service(
            cluster,
            "relay",
            identities.RELAY,
            environ,
            after=SERVERS,
            own=_etcd_client(cluster, identities.etcd_client(identities.RELAY)),
        ),
        _service(cluster, "scheduler", identities.SCHEDULER, environ, after=FRONT),
        _service(
            cluster,
            "controllers",
            identities.CONTROLLERS,
            environ,
            after=FRONT,
            own={"pod_cidr": str(cluster.pod_cidr), "ca_key_file": str(cluster.pki_dir / "ca.key")},
        ),
        _proxy(cluster, "", environ),
        *(each for node in cluster.nodes for each in _node(cluster, node, environ)),
    ]


def apiservers(cluster: Cluster) -> list[str]:
    """The names of the processes that share the API's port."""
    return ["apiserver", *(f"apiserver-{number}" for number in range(2, cluster.apiservers + 1))]


def _apiserver(cluster: Cluster, number: int, environ: Mapping[str, str]) -> Component:
    """One of the processes that share the API's port; each writes an audit log of its own."""
    instance = apiservers(cluster)[number - 1]
    log = cluster.log_file("audit" if number == 1 else f"audit-{number}")
    own = {
        **_etcd_client(cluster, identities.etcd_client(identities.APISERVER)),
        "listen": f"127.0.0.1:{cluster.ports.api},{cluster.host_address}:{cluster.ports.api}",
        "advertise_address": cluster.host_address,
        "serving_cert_file": str(cluster.pki_dir / "apiserver-serving.crt"),
        "serving_key_file": str(cluster.pki_dir / "apiserver-serving.key"),
        "client_ca_file": str(cluster.pki_dir / "ca.crt"),
        "front_proxy_cert_file": str(cluster.pki_dir / f"{pki.FRONT_PROXY}.crt"),
        "front_proxy_key_file": str(cluster.pki_dir / f"{pki.FRONT_PROXY}.key"),
        "front_proxy_ca_file": str(cluster.pki_dir / f"{pki.FRONT_PROXY_CA}.crt"),
        "service_account_key_files": ",".join(str(each) for each in pki.token_key_files(cluster.pki_dir)),
        "encryption_keys_file": str(pki.encryption_keys_file(cluster.pki_dir)),
        "service_cidr": str(cluster.service_cidr),
        "audit_policy_file": str(cluster.home / audit_policy.FILE),
        "audit_log_file": str(log),
    }
    return _service(cluster, "apiserver", identities.APISERVER, environ, after=SERVERS, own=own, instance=instance)


def _etcd_access(cluster: Cluster, environ: Mapping[str, str]) -> Component:
    """What gives etcd its users; started beside etcd, for which it waits."""
    settings = {"identity": identities.ETCD_ROOT.user, **_etcd_client(cluster, identities.ETCD_ROOT)}
    return Component(
        "etcd-access",
        command=(sys.executable, "-m", "kubus_apiserver.etcd_access"),
        environ={**_inherited(environ), **_variables(settings)},
        ends=True,
    )


def _etcd_client(cluster: Cluster, identity: Identity) -> dict[str, str]:
    return {
        "etcd_endpoints": f"127.0.0.1:{cluster.ports.etcd}",
        "etcd_ca_file": str(cluster.pki_dir / f"{pki.ETCD_CA}.crt"),
        "etcd_cert_file": str(cluster.pki_dir / f"{identity.file}.crt"),
        "etcd_key_file": str(cluster.pki_dir / f"{identity.file}.key"),
    }


def _proxy(cluster: Cluster, node: str, environ: Mapping[str, str]) -> Component:
    """The proxy of a node, or ("") of the host, where its nft table bears the cluster's tag."""
    own = {
        "node_name": node,
        "node_netns": f"/run/netns/{cluster.netns(node)}" if node else "",
        "pod_cidr": str(cluster.pod_cidr),
        "service_cidr": str(cluster.service_cidr),
        "table": "kubus-proxy" if node else f"{cluster.tag}-proxy",
    }
    instance = f"proxy-{node or 'host'}"
    return _service(cluster, "proxy", identities.PROXY, environ, after=FRONT, own=own, instance=instance)


def _kubelet(cluster: Cluster, node: str) -> dict[str, str]:
    return {
        "node_name": node,
        "node_netns": f"/run/netns/{cluster.netns(node)}",
        "node_ip": cluster.node_address(node),
        "cluster_dns": cluster.dns,
        "cluster_domain": cluster.domain,
    }


def kubelet_environment(cluster: Cluster, node: str) -> dict[str, str]:
    """What a kubelet's clean-up is told: which node, and where it keeps its things."""
    settings = {"identity": identities.kubelet(node).user, "data_dir": str(cluster.home), **_kubelet(cluster, node)}
    return _variables(settings)


def _variables(settings: Mapping[str, str]) -> dict[str, str]:
    return {PREFIX + key.upper(): value for key, value in settings.items()}


def _node(cluster: Cluster, node: str, environ: Mapping[str, str]) -> list[Component]:
    user = identities.kubelet(node)
    return [
        _service(cluster, "kubelet", user, environ, after=FRONT, own=_kubelet(cluster, node), instance=user.file),
        _proxy(cluster, node, environ),
    ]


def _service(
    cluster: Cluster,
    service: str,
    identity: Identity,
    environ: Mapping[str, str],
    *,
    after: tuple[str, ...],
    own: Mapping[str, str] | None = None,
    instance: str = "",
) -> Component:
    settings = {
        "identity": identity.user,
        "instance": instance or service,
        "nats_url": f"tls://127.0.0.1:{cluster.ports.nats}",
        "ca_file": str(cluster.pki_dir / f"{pki.CA}.crt"),
        "nats_ca_file": str(cluster.pki_dir / f"{pki.BUS_CA}.crt"),
        "nats_cert_file": str(cluster.pki_dir / f"{identity.file}.crt"),
        "nats_key_file": str(cluster.pki_dir / f"{identity.file}.key"),
        "run_dir": str(cluster.run_dir),
        "data_dir": str(cluster.home),
        **(own or {}),
    }
    return Component(
        instance or service,
        service=service,
        environ={**_inherited(environ), **_variables(settings)},
        after=after,
    )


def _inherited(environ: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environ.items() if not key.startswith(PREFIX) or key in HANDED_ON}
