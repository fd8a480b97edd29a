"""`kubus node remove`: take a node out of a cluster that runs, with everything that was on it.

In this order, so that nothing is started there again meanwhile: the node is cordoned; its pods are deleted while its
kubelet can still end them properly; kubelet and proxy are ended; the Node is deleted (now no DaemonSet wants a pod
there), then what is left of its pods; containers, network, certificates and data go last.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from kubus.client import Client
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object, annotations_of, controller_of, name_of, namespace_of, path_of, uid_of
from kubus.service import SystemClock, logs
from kubus_cli import clusters, control, identities, network, preparation, tap
from kubus_cli.advice import command_for
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure, Misused
from kubus_cli.ownership import locked
from kubus_cli.places import Place, existing
from kubus_cli.private_files import write_private
from kubus_cli.steps import Steps
from kubus_cli.stopping import clean_node
from kubus_cli.tapping import cluster_settings
from kubus_cli.up import require_root

MIRROR = "kubernetes.io/config.mirror"
GRACE_SECONDS_EXTRA = 10.0
"""How much longer than the pods' own grace periods their end may take."""
GRACE_SECONDS_DEFAULT = 30
END_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.2
NOT_FOUND = 404
CONFLICT = 409


def remove_node(where: Place, node: str, environ: Mapping[str, str], steps: Steps) -> None:
    """Remove a node.

    Raises:
        Misused: the cluster has no such node.
        NotRunning: the cluster is stopped.
    """
    require_root(where, "node remove", node)
    logs.configure("warning", "text", "node")
    existing(where)
    with locked(where.home):
        cluster = existing(where)
        if node not in cluster.nodes:
            raise Misused(
                f"cluster {cluster.name!r} has no node {node!r}", f"it has {', '.join(cluster.nodes) or 'none'}"
            )
        control.ask(cluster, {"do": "status"})
        smaller = cluster.without_node(node)
        asyncio.run(_with_client(cluster, lambda client: empty_node(client, node, steps)))
        _end_components(cluster, smaller, node, steps)
        asyncio.run(_with_client(cluster, lambda client: delete_node(client, node, steps)))
        _clean(cluster, smaller, node, environ, steps)
        steps.done(
            f"node {node} is removed; add another one: {command_for(cluster, 'up', '--nodes', 'N')}", steps.seconds
        )


async def _with_client(cluster: Cluster, work: Callable[[Client], Awaitable[None]]) -> None:
    settings = cluster_settings(cluster)
    bus = await tap.connected(settings, command_for(cluster, "status"))
    try:
        await work(BusClient(bus, settings.identity, manager="kubus-node"))
    except StatusError as error:
        raise Failure(error.message, f"see: {command_for(cluster, 'status')}") from None
    finally:
        await bus.aclose()


async def empty_node(client: Client, node: str, steps: Steps) -> None:
    """Cordon a node and delete its pods, as far as their grace periods allow; a Node that is gone is well."""
    try:
        await client.patch(NODES, "", node, {"spec": {"unschedulable": True}})
    except StatusError as error:
        if error.code != NOT_FOUND:
            raise
        return
    pods = [pod for pod in await _pods_of(client, node) if is_moved(pod)]
    await asyncio.gather(*(_delete(client, pod) for pod in pods))
    clock = SystemClock()
    give_up = clock.monotonic() + grace_seconds(pods)
    left = {uid_of(pod) for pod in pods}
    while left and clock.monotonic() < give_up:
        left &= {uid_of(pod) for pod in await _pods_of(client, node)}
        steps.waiting(f"{len(left)} pods to end")
        await asyncio.sleep(LOOK_SECONDS if left else 0)
    steps.done(f"node {node} is cordoned, {len(pods) - len(left)} pods ended", steps.seconds)


async def delete_node(client: Client, node: str, steps: Steps) -> None:
    """Delete a Node, and its pods by force: nothing on the node could report their end any more."""
    with _absent_is_well():
        await client.delete(NODES, "", node)
    pods = await _pods_of(client, node)
    await asyncio.gather(*(_delete(client, pod, force=True) for pod in pods))
    steps.done(f"objects of node {node}", steps.seconds)


def is_moved(pod: Object) -> bool:
    """True for pods that end elsewhere when their node is emptied: not those of the node's own, nor of DaemonSets."""
    owner = controller_of(pod)
    return MIRROR not in annotations_of(pod) and (owner is None or owner.get("kind") != "DaemonSet")


def grace_seconds(pods: Iterable[Object]) -> float:
    """How long pods may take to end."""
    graces = [path_of(pod, "spec", "terminationGracePeriodSeconds", default=GRACE_SECONDS_DEFAULT) for pod in pods]
    return max(graces, default=0) + GRACE_SECONDS_EXTRA


async def _pods_of(client: Client, node: str) -> list[Object]:
    return (await client.list(PODS, field_selector=f"spec.nodeName={node}")).items


async def _delete(client: Client, pod: Object, *, force: bool = False) -> None:
    options: Object = {"preconditions": {"uid": uid_of(pod)}, **({"gracePeriodSeconds": 0} if force else {})}
    with _absent_is_well():
        await client.delete(PODS, namespace_of(pod), name_of(pod), options=options)


@contextlib.contextmanager
def _absent_is_well() -> Iterator[None]:
    try:
        yield
    except StatusError as error:
        if error.code not in (NOT_FOUND, CONFLICT):  # a conflict: another pod of that name by now
            raise


def _end_components(cluster: Cluster, smaller: Cluster, node: str, steps: Steps) -> None:
    """End the node's kubelet and proxy; from here on it is not started any more."""
    clusters.save(smaller)
    control.ask(cluster, {"do": "reload"}, timeout_seconds=END_SECONDS_MAX)
    steps.done(f"kubelet and proxy of node {node}", steps.seconds)


def _clean(cluster: Cluster, smaller: Cluster, node: str, environ: Mapping[str, str], steps: Steps) -> None:
    left = clean_node(cluster, node, environ, purge=True)
    with locked(cluster.run_root):
        network.remove_node(cluster, node)
    for suffix in ("crt", "key"):
        (cluster.pki_dir / f"{identities.kubelet(node).file}.{suffix}").unlink(missing_ok=True)
    write_private(smaller.home / "nats.conf", preparation.nats_configuration(smaller))
    control.ask(smaller, {"do": "reload"})
    if left:
        raise Failure(f"containers are left: {left}", f"they end with: {command_for(cluster, 'down')}")
    steps.done(f"containers, network and data of node {node}", steps.seconds)
