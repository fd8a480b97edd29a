"""Which ports an apiserver may share: those of apiservers of its own cluster, and no others.

Several apiservers of a cluster listen on one port (SO_REUSEPORT), and the kernel spreads connections over them. It
would do the same for two clusters' apiservers, and a client's requests would land in either. So whoever listens
already has to show a certificate that one of the cluster's own authorities has signed. (A bind without sharing would
tell that a port is taken, too, but siblings that start at once would keep each other from it.)
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Iterable
from pathlib import Path

_ANSWER_SECONDS = 5.0
"""How long a listening server may take for a handshake."""


class PortTaken(OSError):
    """Another cluster, or another program, has the port."""


async def require_own_port(host: str, port: int, authorities: Iterable[Path]) -> None:
    """Check that a port is free or belongs to apiservers of this cluster.

    Raises:
        PortTaken: it is another's.
    """
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    why = "only apiservers with certificates share a port"
    contexts: list[ssl.SSLContext | None] = [_trusting(each) for each in dict.fromkeys(authorities)]
    for context in contexts or [None]:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                _, writer = await asyncio.open_connection(reached, port, ssl=context)
        except ConnectionRefusedError:
            return
        except (OSError, TimeoutError) as error:
            why = str(error) or "it does not answer"
        else:
            writer.transport.abort()
            if context is not None:
                return
    raise _taken(host, port, why)


def _taken(host: str, port: int, why: str) -> PortTaken:
    return PortTaken(errno.EADDRINUSE, f"port {port} of {host} is in use, not by an apiserver of this cluster: {why}")


def _trusting(authority: Path) -> ssl.SSLContext:
    """A client that trusts one authority: of two with the same name, OpenSSL would look at the first one only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # a sibling may be addressed otherwise; the authority is what counts
    context.load_verify_locations(authority)
    return context
