"""What a kubelet is told from outside, beside the settings of every service."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KubeletSettings:
    """The settings of one node; every field is a variable `KUBUS_<FIELD>`."""

    node_name: str
    node_netns: str = ""
    """Path of the network namespace that is the node; "" is the one this process runs in."""
    node_ip: str = "127.0.0.1"
    """InternalIP: where other nodes reach this one."""
    data_dir: Path = Path("/var/lib/kubus")
    max_pods: int = 110
    cpu_millis: int = 0
    """Capacity to report; 0 takes the machine's."""
    memory_bytes: int = 0
    """Capacity to report; 0 takes the machine's."""
    cluster_dns: str = ""
    """Nameserver of pods with dnsPolicy ClusterFirst; "" gives them the node's own."""
    cluster_domain: str = "cluster.local"
    image_stores: tuple[str, ...] = ("/var/lib/containers/storage",)
    """Image stores of the machine that pods may use too, so that `podman build` there is enough."""
    storage_driver: str = "overlay"
    pod_log_bytes_max: int = 10 * 1024 * 1024
    """At this size a container's log starts anew."""
    sync_seconds: float = 60.0
    """How often mounted ConfigMaps and Secrets are read again."""


@dataclass(frozen=True, slots=True)
class NodePaths:
    """Where a node keeps what: `data` survives a reboot, `run` must not."""

    data: Path
    run: Path

    @classmethod
    def of(cls, settings: KubeletSettings) -> NodePaths:
        """The paths of a node; the short run directory keeps socket paths under their 107 bytes."""
        data = settings.data_dir.absolute() / "nodes" / settings.node_name
        digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:10]
        return cls(data=data, run=Path("/run/kubus-nodes") / digest)

    @property
    def podman_socket(self) -> Path:
        """Where Podman's REST API is served."""
        return self.run / "podman.sock"

    @property
    def podman_pid(self) -> Path:
        """Holds the process id of the Podman API service."""
        return self.run / "podman.pid"

    @property
    def storage(self) -> Path:
        """Podman's graphroot: images and containers."""
        return self.data / "storage"

    @property
    def exits(self) -> Path:
        """Where conmon writes a file with the exit code of each container that ended."""
        return self.run / "tmp" / "exits"

    @property
    def pods(self) -> Path:
        """One directory a pod: volumes, hosts file, logs."""
        return self.data / "pods"

    def pod(self, uid: str) -> Path:
        """The directory of one pod."""
        return self.pods / uid
