"""What the apiserver is told, beside what every service is told."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ApiserverSettings:
    """Read from `KUBUS_…` variables; see `kubus.service.settings`."""

    listen: tuple[str, ...] = ("127.0.0.1:6443",)
    """host:port of the HTTPS door, the first being the main one. Several processes may share them."""
    serving_cert_file: Path | None = None
    """The server's certificate. Without it the door speaks plain HTTP and knows nobody: for tests only."""
    serving_key_file: Path | None = None
    client_ca_file: Path | None = None
    """Who signs client certificates."""
    front_proxy_cert_file: Path | None = None
    """The certificate by which extension apiservers know this one, of an authority of its own."""
    front_proxy_key_file: Path | None = None
    front_proxy_ca_file: Path | None = None
    service_account_key_files: tuple[str, ...] = ()
    """PEM files of ServiceAccount keys: the first one signs tokens, all of them verify."""
    encryption_keys_file: Path | None = None
    """Base64 keys, one a line, by which Secrets are sealed in etcd: the first one seals, all of them open."""
    audit_policy_file: Path | None = None
    """An audit.k8s.io/v1 Policy; with it and the log file, requests are recorded."""
    audit_log_file: Path | None = None
    service_cidr: IPv4Network = field(default_factory=lambda: IPv4Network("10.96.0.0/16"))
    """Where ClusterIPs are taken from; the first address is the Service `kubernetes`."""
    node_port_range: str = "30000-32767"
    """Both ends are given out."""
    advertise_address: str = ""
    """Where the cluster reaches this apiserver; "": the host of `listen`'s first."""

    @property
    def service_account_keys(self) -> list[bytes]:
        """The texts of `service_account_key_files`.

        Raises:
            OSError: one cannot be read.
        """
        return [Path(each).read_bytes() for each in self.service_account_key_files]

    @property
    def encryption_keys(self) -> list[bytes]:
        """The keys of `encryption_keys_file`.

        Raises:
            ValueError: no file is named, or it holds something else.
            OSError: it cannot be read.
        """
        if self.encryption_keys_file is None:
            raise ValueError("KUBUS_ENCRYPTION_KEYS_FILE names no file")
        return [b64decode(line, validate=True) for line in self.encryption_keys_file.read_bytes().split()]

    @property
    def front_proxy(self) -> tuple[Path, Path] | None:
        """Certificate and key for extension apiservers."""
        certificate, key = self.front_proxy_cert_file, self.front_proxy_key_file
        return None if certificate is None or key is None else (certificate, key)

    @property
    def front_proxy_ca(self) -> str:
        """The text of `front_proxy_ca_file`; "" without one.

        Raises:
            OSError: it cannot be read.
        """
        return "" if self.front_proxy_ca_file is None else self.front_proxy_ca_file.read_text()

    @property
    def client_ca(self) -> str:
        """The text of `client_ca_file`; "" without one.

        Raises:
            OSError: it cannot be read.
        """
        return "" if self.client_ca_file is None else self.client_ca_file.read_text()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Hosts and ports of `listen`.

        Raises:
            ValueError: there is none, or one without a port.
        """
        parts = [each.rpartition(":") for each in self.listen]
        if not parts:
            raise ValueError("KUBUS_LISTEN names no address")
        return [(host.strip("[]"), int(port)) for host, _, port in parts]

    @property
    def node_ports(self) -> range:
        """The ports of `node_port_range`.

        Raises:
            ValueError: it is no range.
        """
        low, _, high = self.node_port_range.partition("-")
        return range(int(low), int(high) + 1)
