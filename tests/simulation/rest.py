"""Rest: promises that hold when it is quiet, and how long it takes to become so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tests.simulation.cluster import Cluster
from tests.simulation.watcher import EVENTS, LEASES, NODES, PODS, USER, Watcher

from kubus.machinery.informer import Informer
from kubus.model.objects import (
    Key,
    Object,
    controller_of,
    is_deleting,
    labels_of,
    path_of,
    revision_of,
    uid_of,
    with_revision,
)
from kubus.model.records import decode_record, parse_store_key

PATIENCE_SECONDS = 900.0
"""Back-offs go up to 300 s, and pods of a node that was lost may stay for 300 s."""
CACHES_SECONDS = 30.0
"""Beats come every ten seconds where nothing happens, and it takes two."""
QUIET_SECONDS = 60.0
LOOK_SECONDS = 5.0
MOVING = (LEASES, EVENTS)
"""These change while one looks."""
DEPLOYMENTS, REPLICASETS, SLICES = "deployments.apps", "replicasets.apps", "endpointslices.discovery.k8s.io"


class Rest:
    """Waits for the cluster to come to rest, and looks at it then."""

    def __init__(self, cluster: Cluster, watcher: Watcher) -> None:
        self._cluster = cluster
        self._watcher = watcher
        self._objects: dict[Key, Object] = {}

    async def come(self) -> float:
        """Wait for rest, then check; how many seconds it took."""
        clock, chronicle = self._cluster.clock, self._cluster.chronicle
        began = clock.monotonic()
        while (unsettled := await self._unsettled()) and clock.monotonic() < began + PATIENCE_SECONDS:
            if chronicle.broken:
                return 0.0
            await asyncio.sleep(LOOK_SECONDS)
        settled = clock.monotonic()
        for each in unsettled:
            chronicle.break_promise(f"the cluster converges in {PATIENCE_SECONDS:g} s", each)
        await asyncio.sleep(max(CACHES_SECONDS, QUIET_SECONDS))
        await self._look()
        for promise, found in (
            ("at rest nothing changes", self._restless(settled)),
            ("no orphan after owner deletion", self._orphans()),
            ("every cache equals the store", self._caches()),
            ("causes end at a user's write", self._causes()),
            ("an address has one Service", self._addresses()),
        ):
            for how in found:
                chronicle.break_promise(promise, how)
        self._watcher.check_acknowledged()
        return settled - began

    async def _look(self) -> None:
        page = await self._cluster.store.page("/kubus/")
        found = {}
        for item in page.items:
            key = parse_store_key(item.key)
            if key is not None:
                found[key] = with_revision(decode_record(item.value).object, item.revision)
        self._objects = found

    def _all(self, collection: str) -> dict[Key, Object]:
        return {key: obj for key, obj in self._objects.items() if key.collection == collection}

    async def _unsettled(self) -> list[str]:
        """What is not as the objects ask for."""
        await self._look()
        return [
            *(f"{key} is still being deleted" for key, obj in self._objects.items() if is_deleting(obj)),
            *self._workloads(),
            *self._pods(),
            *self._nodes(),
            *self._endpoints(),
        ]

    def _workloads(self) -> Iterator[str]:
        for collection in (DEPLOYMENTS, REPLICASETS):
            for key, obj in self._all(collection).items():
                wanted, status = obj["spec"]["replicas"], obj.get("status") or {}
                for field in ("replicas", "readyReplicas", "availableReplicas"):
                    if status.get(field, 0) != wanted:
                        yield f"{key}: {field} is {status.get(field, 0)} of {wanted}"
                if status.get("observedGeneration") != obj["metadata"]["generation"]:
                    yield f"{key}: generation {obj['metadata']['generation']} is not observed"
                if collection == DEPLOYMENTS and status.get("updatedReplicas", 0) != wanted:
                    yield f"{key}: updated {status.get('updatedReplicas', 0)} of {wanted}"
                if collection == REPLICASETS:
                    yield from self._replicas(key, obj, wanted)

    def _replicas(self, key: Key, replicaset: Object, wanted: int) -> Iterator[str]:
        mine = [pod for pod in self._all(PODS).values() if (controller_of(pod) or {}).get("uid") == uid_of(replicaset)]
        if len(mine) != wanted:
            yield f"{key}: {len(mine)} pods of {wanted}"

    def _pods(self) -> Iterator[str]:
        machines = self._cluster.machines
        pods = {uid_of(pod): (key, pod) for key, pod in self._all(PODS).items()}
        for uid, (key, pod) in pods.items():
            node = path_of(pod, "spec", "nodeName", default="")
            if node not in machines or uid not in machines[node].running:
                yield f"{key} does not run on {node or 'any node'}"
            elif path_of(pod, "status", "podIP") != machines[node].running[uid].address:
                yield f"{key} has another address than it says"
            elif not _ready(pod):
                yield f"{key} is not ready"
        for machine in machines.values():
            for uid, running in machine.running.items():
                if uid not in pods:
                    yield f"{running.pod} runs on {machine.name} and does not exist"

    def _nodes(self) -> Iterator[str]:
        for name in self._cluster.machines:
            node = self._objects.get(Key(NODES, "", name))
            if node is None or not _ready(node) or path_of(node, "spec", "taints"):
                yield f"node {name} is not ready and free of taints"

    def _endpoints(self) -> Iterator[str]:
        for key, service in self._all("services.core").items():
            selector = path_of(service, "spec", "selector", default={})
            if not selector:
                continue
            wanted = {
                path_of(pod, "status", "podIP")
                for other, pod in self._all(PODS).items()
                if other.namespace == key.namespace and selector.items() <= labels_of(pod).items() and _ready(pod)
            }
            found = {
                address
                for other, slice_ in self._all(SLICES).items()
                if other.namespace == key.namespace and labels_of(slice_).get("kubernetes.io/service-name") == key.name
                for endpoint in slice_.get("endpoints") or ()
                if path_of(endpoint, "conditions", "ready", default=True)
                for address in endpoint["addresses"]
            }
            if found != wanted:
                yield f"{key}: endpoints {sorted(found)}, ready pods {sorted(wanted)}"

    def _restless(self, settled: float) -> Iterator[str]:
        since = self._watcher.quiet_since
        if since > settled + QUIET_SECONDS / 2:
            last = next(
                (
                    f"{written.key} at {revision} by {written.note.manager}"
                    for revision, written in sorted(self._watcher.history.items(), reverse=True)
                    if written.key.collection not in MOVING
                ),
                "",
            )
            yield f"{since - settled:.0f} s after it came to rest: {last}"

    def _orphans(self) -> Iterator[str]:
        uids = {uid_of(obj) for obj in self._objects.values()}
        for key, obj in self._objects.items():
            for reference in obj["metadata"].get("ownerReferences") or ():
                if reference["uid"] not in uids:
                    yield f"{key} belongs to {reference['kind']} {reference['name']}, which is gone"
        for key in self._all("endpoints.core"):
            if Key("services.core", key.namespace, key.name) not in self._objects:
                yield f"{key} has no Service"
        for key in self._objects:
            gone = key.namespace and Key("namespaces.core", "", key.namespace) not in self._objects
            if gone and key.collection not in MOVING:
                yield f"{key} is in a namespace that is gone"

    def _caches(self) -> Iterator[str]:
        for process in self._cluster.processes.values():
            for informer in process.informers:
                wanted = self._all(informer.kind.collection)
                if process.kubelet is not None:
                    node = process.name.removeprefix("kubelet-")
                    wanted = {key: pod for key, pod in wanted.items() if path_of(pod, "spec", "nodeName") == node}
                yield from self._difference(process.name, informer, wanted)
            if process.core is not None:
                for key, obj in self._objects.items():
                    entry = process.core.cache.get(key)
                    there, wanted_revision = entry.revision if entry is not None else 0, revision_of(obj)
                    if there != wanted_revision and key.collection not in MOVING:
                        yield f"{process.name}: {key} is of {there} and stands at {wanted_revision}"

    def _difference(self, who: str, informer: Informer, wanted: dict[Key, Object]) -> Iterator[str]:
        there = {
            Key(informer.kind.collection, obj["metadata"].get("namespace") or "", obj["metadata"]["name"]): obj
            for obj in informer.cache
        }
        for key in sorted(there.keys() ^ wanted.keys()):
            yield f"{who}: {key} is {'missing' if key in wanted else 'too much'}"
        for key in sorted(there.keys() & wanted.keys()):
            ours, theirs = revision_of(there[key]), revision_of(wanted[key])
            if ours != theirs and informer.kind.collection not in MOVING:
                yield f"{who}: {key} is of {ours} and stands at {theirs}"

    def _causes(self) -> Iterator[str]:
        """From each pod's last change one can walk back to a user, or to the start or end of a node."""
        for key, pod in self._all(PODS).items():
            path = self._watcher.causes(revision_of(pod))
            first = self._watcher.history.get(path[-1])
            if self._watcher.is_undone(path[-1]):
                continue
            if first is None:
                yield f"{key}: {path} ends at a revision that nobody has seen"
            elif first.note.by != USER and first.key.collection not in (NODES, LEASES):
                yield f"{key}: {path} ends at {first}"

    def _addresses(self) -> Iterator[str]:
        seen: dict[str, Key] = {}
        for key, service in self._all("services.core").items():
            address = path_of(service, "spec", "clusterIP", default="")
            if address in seen:
                yield f"{key} and {seen[address]} both have {address}"
            seen[address] = key


def _ready(obj: Object) -> bool:
    conditions = path_of(obj, "status", "conditions", default=())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
