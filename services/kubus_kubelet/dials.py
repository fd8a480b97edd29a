"""dial: a TCP connection to a port of a pod, carried over a session.

Proxies, webhooks and aggregated APIs of the apiserver reach pods by it, and `kubectl port-forward`. A proxy dials the
pod's address, as anybody in the cluster would; a forwarded port is dialled from within the pod on its loopback, where a
program may listen that nobody else reaches. The connection stands before the call is accepted, so that a refusal is
the answer to the call.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from kubus.bus.carrying import carry
from kubus.bus.sessions import STDOUT, Session, Work
from kubus.model import errors
from kubus.model.objects import name_of, path_of
from kubus.service.netns import NodeNamespace
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.pod_worker import PodWorker
from kubus_kubelet.sandbox import netns_path

DIAL_SECONDS = 3.5
"""Less than the apiserver waits for an answer."""
LOOPBACK = ("127.0.0.1", "::1")


async def dial(tools: NodeTools, worker: PodWorker, call: dict[str, Any]) -> Work:
    """Connect, and what to do with the session then.

    Raises:
        StatusError: 503, nobody answers there.
    """
    port = int(call["port"])
    if not worker.seen.address:
        raise errors.unavailable(f"pod {name_of(worker.pod)} has no address yet")
    if not call.get("local"):
        made = await connected(tools.namespace, (worker.seen.address,), port)
    elif path_of(worker.pod, "spec", "hostNetwork"):
        made = await connected(tools.namespace, LOOPBACK, port)
    else:
        made = await _inside(worker, port)

    async def work(session: Session) -> None:
        reader, writer = await asyncio.open_connection(sock=made)
        await carry(session, reader, writer, STDOUT, half_open=True)

    return work


async def connected(namespace: NodeNamespace, hosts: tuple[str, ...], port: int) -> socket.socket:
    """A connection to the first host that answers.

    Raises:
        StatusError: 503, none does.
    """
    said = ""
    for host in hosts:
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                return await namespace.connect(host, port)
        except TimeoutError:
            said = said or f"dial tcp {where}: i/o timeout"
        except ConnectionRefusedError:
            said = said or f"dial tcp {where}: connect: connection refused"
        except OSError as error:
            said = said or f"dial tcp {where}: connect: {error.strerror or error}"
    raise errors.unavailable(said)


async def _inside(worker: PodWorker, port: int) -> socket.socket:
    """A connection on a pod's own loopback."""
    namespace = NodeNamespace(str(netns_path(worker.uid)))
    try:
        return await connected(namespace, LOOPBACK, port)
    finally:
        namespace.close()
