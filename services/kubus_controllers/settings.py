"""What the controllers are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ControllersSettings:
    """See `kubus.service.settings`."""

    pod_cidr: str = "10.244.0.0/16"
    """The addresses of all pods."""
    node_cidr_mask_bits: int = 24
    """The size of a node's piece of them: 24 leaves 254 pods a node."""
    ca_key_file: Path | None = None
    """The key of the authority in KUBUS_CA_FILE, to sign certificates with; without it nothing is signed."""
    node_monitor_grace_seconds: float = 40.0
    """How long a node may be silent before it counts as lost; kubelets renew their Lease every 10 s."""
