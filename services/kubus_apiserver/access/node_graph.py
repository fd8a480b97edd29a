"""Which objects each node has to do with: an index over the cache, kept as pods and volumes change.

A node's pods name Secrets, ConfigMaps, claims and their ServiceAccount; a claim leads to its volume, a volume to the
Secrets of its driver. The index counts how often a node needs an object, so that an answer is one look-up and a
change costs what the changed pod names, however many pods there are. Changes are noted as they come and worked in when
somebody asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from kubus.model.codec import DecodeError
from kubus.model.objects import Object, path_of
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import Changed, WatchCache

PODS, CLAIMS, VOLUMES = "pods.core", "persistentvolumeclaims.core", "persistentvolumes.core"
ATTACHMENTS = "volumeattachments.storage.k8s.io"
_MIRROR = "kubernetes.io/config.mirror"
_VOLUME_SECRETS = ("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos", "azureFile")
_CSI_SECRETS = (
    "nodePublishSecretRef",
    "nodeStageSecretRef",
    "nodeExpandSecretRef",
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
)


class Ref(NamedTuple):
    """An object that a pod leads to: `secret`, `configmap`, `claim`, `volume`, `account`, `pod`, `attachment`."""

    kind: str
    namespace: str
    name: str


class _Source(NamedTuple):
    node: str
    refs: frozenset[Ref]


_NOTHING = _Source("", frozenset())


class NodeGraph:
    """The index."""

    def __init__(self, cache: WatchCache) -> None:
        self._cache = cache
        self._needed: dict[str, Counter[Ref]] = {}
        self._sources: dict[tuple[str, str, str], _Source] = {}
        self._volume_of: dict[tuple[str, str], str] = {}
        self._volume_secrets: dict[str, frozenset[Ref]] = {}
        self._pending: dict[tuple[str, str, str], Entry | None] = {}
        self._follow()

    def needs(self, node: str, ref: Ref) -> bool:
        """Whether a pod of the node leads to an object."""
        self._work_in()
        needed = self._needed.get(node)
        if not needed:
            return False
        if needed[ref] > 0:
            return True
        if ref.kind == "volume":
            return any(
                self._volume_of.get((each.namespace, each.name)) == ref.name for each in needed if each.kind == "claim"
            )
        if ref.kind == "secret" and self._volume_secrets:
            return any(
                ref in self._volume_secrets.get(self._volume_of.get((each.namespace, each.name), ""), ())
                for each in needed
                if each.kind == "claim"
            )
        return False

    def _follow(self) -> None:
        """Listen, and take everything that is there."""
        self._needed.clear()
        self._sources.clear()
        self._volume_of.clear()
        self._volume_secrets.clear()
        self._pending.clear()
        for name in (PODS, CLAIMS, VOLUMES, ATTACHMENTS):
            collection = self._cache.collection(name)
            for entry in collection.select():
                self._pending[name, entry.namespace, entry.name] = entry
            collection.listeners.add(self._listener(name))

    def _listener(self, name: str) -> _Listener:
        return _Listener(self, name)

    def heard(self, name: str, batch: list[Changed]) -> None:
        """Note changes of a collection; [] means that it was filled anew."""
        if not batch:
            self._follow()
            return
        for changed in batch:
            entry = changed.entry or changed.before
            if entry is not None:
                self._pending[name, entry.namespace, entry.name] = changed.entry

    def _work_in(self) -> None:
        while self._pending:
            key, entry = self._pending.popitem()
            try:
                obj = None if entry is None else entry.object
            except DecodeError:
                obj = None
            self._take(key, obj)

    def _take(self, key: tuple[str, str, str], obj: Object | None) -> None:
        collection, namespace, name = key
        if collection == CLAIMS:
            self._volume_of[namespace, name] = path_of(obj, "spec", "volumeName", default="") if obj else ""
        elif collection == VOLUMES:
            secrets = frozenset(_volume_secrets(obj)) if obj else frozenset()
            if secrets:
                self._volume_secrets[name] = secrets
            else:
                self._volume_secrets.pop(name, None)
        else:
            self._replace(key, _NOTHING if obj is None else _source(collection, obj))

    def _replace(self, key: tuple[str, str, str], new: _Source) -> None:
        old = self._sources.pop(key, _NOTHING)
        if old == new:
            if new.node:
                self._sources[key] = new
            return
        if old.node:
            needed = self._needed[old.node]
            needed.subtract(old.refs)
            for ref in old.refs:
                if needed[ref] <= 0:
                    del needed[ref]
        if new.node:
            self._sources[key] = new
            self._needed.setdefault(new.node, Counter()).update(new.refs)


class _Listener:
    """What a collection tells; equal to any other of its graph and collection, so that it is added once."""

    __slots__ = ("_graph", "_name")

    def __init__(self, graph: NodeGraph, name: str) -> None:
        self._graph = graph
        self._name = name

    def __call__(self, batch: list[Changed]) -> None:
        self._graph.heard(self._name, batch)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Listener) and other._graph is self._graph and other._name == self._name

    def __hash__(self) -> int:
        return hash((id(self._graph), self._name))


def _source(collection: str, obj: Object) -> _Source:
    metadata, spec = obj["metadata"], obj.get("spec") or {}
    node = spec.get("nodeName") or ""
    if not node:
        return _NOTHING
    if collection == ATTACHMENTS:
        return _Source(node, frozenset({Ref("attachment", "", metadata["name"])}))
    own = Ref("pod", metadata.get("namespace") or "", metadata["name"])
    if _MIRROR in (metadata.get("annotations") or {}):
        return _Source(node, frozenset({own}))
    return _Source(node, frozenset({own, *refs_of_pod(obj)}))


def refs_of_pod(pod: Object) -> Iterator[Ref]:
    """Everything that a pod names."""
    namespace, spec = pod["metadata"].get("namespace") or "", pod.get("spec") or {}
    yield Ref("account", namespace, spec.get("serviceAccountName") or "default")
    for each in spec.get("imagePullSecrets") or ():
        yield Ref("secret", namespace, each.get("name") or "")
    for containers in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(containers) or ():
            yield from _refs_of_container(container, namespace)
    for volume in spec.get("volumes") or ():
        yield from _refs_of_volume(volume, namespace, pod["metadata"]["name"])


def _refs_of_container(container: dict[str, Any], namespace: str) -> Iterator[Ref]:
    sources = [*(container.get("envFrom") or ()), *(each.get("valueFrom") or {} for each in container.get("env") or ())]
    for source in sources:
        for field in ("secretRef", "secretKeyRef"):
            if source.get(field):
                yield Ref("secret", namespace, source[field].get("name") or "")
        for field in ("configMapRef", "configMapKeyRef"):
            if source.get(field):
                yield Ref("configmap", namespace, source[field].get("name") or "")


def _refs_of_volume(volume: dict[str, Any], namespace: str, pod: str) -> Iterator[Ref]:
    if volume.get("secret"):
        yield Ref("secret", namespace, volume["secret"].get("secretName") or "")
    if volume.get("configMap"):
        yield Ref("configmap", namespace, volume["configMap"].get("name") or "")
    if volume.get("persistentVolumeClaim"):
        yield Ref("claim", namespace, volume["persistentVolumeClaim"].get("claimName") or "")
    if volume.get("ephemeral"):
        yield Ref("claim", namespace, f"{pod}-{volume['name']}")
    for source in (volume.get("projected") or {}).get("sources") or ():
        if source.get("secret"):
            yield Ref("secret", namespace, source["secret"].get("name") or "")
        if source.get("configMap"):
            yield Ref("configmap", namespace, source["configMap"].get("name") or "")
    for ref in _driver_secrets(volume, namespace):
        yield ref._replace(namespace=namespace)  # a pod's volume names Secrets of its own namespace only


def _volume_secrets(volume: Object) -> Iterator[Ref]:
    claim = path_of(volume, "spec", "claimRef", "namespace", default="")
    yield from _driver_secrets(volume.get("spec") or {}, claim)


def _driver_secrets(source: dict[str, Any], namespace: str) -> Iterator[Ref]:
    for driver in _VOLUME_SECRETS:
        found = source.get(driver) or {}
        reference = found.get("secretRef")
        if isinstance(reference, dict) and reference.get("name"):
            yield Ref("secret", reference.get("namespace") or namespace, reference["name"])
        if found.get("secretName"):
            yield Ref("secret", found.get("secretNamespace") or namespace, found["secretName"])
    for field in _CSI_SECRETS:
        reference = (source.get("csi") or {}).get(field)
        if isinstance(reference, dict) and reference.get("name"):
            yield Ref("secret", reference.get("namespace") or namespace, reference["name"])
