"""How a cluster's etcd is started: private, on loopback, for holders of certificates of its own authority only.

Its clients' certificates come from the same authority as its members', so a peer has to bear the members' name as well:
who could speak raft would need no permission. The gateway (JSON over HTTP) is off: it would act under etcd's own
certificate.

Old revisions are compacted after an hour, so that watchers and the journal can catch up after any ordinary outage;
writes are fsynced. A member alone has no network to wait for, so its election timeout is short: it is the better part
of the start. Its heartbeat is the longest that such a timeout allows, because each costs CPU when nothing happens.
"""

from __future__ import annotations

from kubus_cli import pki
from kubus_cli.clusters import Cluster

QUOTA_BYTES = 8 << 30
SNAPSHOT_COUNT = 10_000  # etcd 3.4's default of 100,000 keeps that many entries in memory


def command(program: str, cluster: Cluster) -> list[str]:
    """The program and its arguments."""
    client = f"https://127.0.0.1:{cluster.ports.etcd}"
    peer = f"https://127.0.0.1:{cluster.ports.etcd_peer}"
    own = {"cert-file": cluster.pki_dir / f"{pki.ETCD}.crt", "key-file": cluster.pki_dir / f"{pki.ETCD}.key"}
    flags = {
        "name": cluster.name,
        "data-dir": cluster.home / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{cluster.name}={peer}",
        "client-cert-auth": "true",
        "trusted-ca-file": cluster.pki_dir / f"{pki.ETCD_CA}.crt",
        **own,
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": cluster.pki_dir / f"{pki.ETCD_CA}.crt",
        "peer-cert-allowed-cn": pki.ETCD,
        "enable-grpc-gateway": "false",
        **{f"peer-{flag}": value for flag, value in own.items()},
        "heartbeat-interval": 20,
        "election-timeout": 100,
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "1h",
        "quota-backend-bytes": QUOTA_BYTES,
        "snapshot-count": SNAPSHOT_COUNT,
        "max-txn-ops": 128,
        "logger": "zap",
        "log-outputs": "stderr",
    }
    return [program, *(f"--{flag}={value}" for flag, value in flags.items())]
