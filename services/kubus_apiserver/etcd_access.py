"""`python -m kubus_apiserver.etcd_access`: give etcd its users, turn its access control on, and end.

The only process that holds the certificate of etcd's root. It runs beside etcd at each start of a cluster, waits for
etcd, and changes nothing where all is as it should be. The apiserver may read and write, the relay may read.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping

from kubus.service import SettingsError
from kubus.service.life import EXIT_CONFIG
from kubus.service.settings import Settings, read
from kubus.store import StoreError, Unavailable
from kubus.store.etcd import Tls
from kubus.store.etcd_access import Access, ensure_access
from kubus.store.etcd_rpc import Rpc

WANTED = (Access("system:apiserver", "readwrite"), Access("system:relay", "read"))
WAIT_SECONDS_MAX = 60.0


async def ensure(settings: Settings) -> None:
    """Wait for etcd and set its users up.

    Raises:
        StoreError: etcd refuses, or does not answer in time.
    """
    tls_files = settings.etcd_tls_files
    rpc = Rpc(settings.etcd_endpoints, Tls(*tls_files) if tls_files else None)
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS_MAX
    try:
        while True:
            try:
                return await ensure_access(rpc, WANTED)
            except Unavailable:  # a call waits for a connection by itself: this is no busy loop
                if asyncio.get_running_loop().time() > deadline:
                    raise
    finally:
        await rpc.aclose()


def main(environ: Mapping[str, str]) -> int:
    """Set etcd's users up; the exit code."""
    try:
        settings = read(Settings, environ)
    except SettingsError as error:
        sys.stderr.write(f"etcd-access: {error}\n")
        return EXIT_CONFIG
    try:
        asyncio.run(ensure(settings))
    except StoreError as error:
        sys.stderr.write(f"etcd-access: {error}\n")
        return 1
    sys.stderr.write("etcd-access: etcd knows its users\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(os.environ))
