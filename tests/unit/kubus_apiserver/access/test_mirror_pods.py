"""What mirror pods may not name, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.store import StoreChange
from kubus_apiserver.access.mirror_pods import refusal_for_everybody, refusal_for_node
from kubus_apiserver.access.node_restriction import node_restriction
from kubus_apiserver.admission import Place, Proposal
from kubus_apiserver.calls import User
from kubus_apiserver.reading.watchcache import WatchCache

OWNER: dict[str, Any] = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u1", "controller": True}


@pytest.fixture
def cache() -> WatchCache:
    """A cache that knows the node n1."""
    cache = WatchCache()
    record = encode_record(Note("t", "t", "create", 0), {"metadata": {"name": "n1", "uid": "u1"}})
    cache.apply([StoreChange(store_key(Key("nodes.core", "", "n1")), record, 1, 1, None)])
    return cache


def mirror(*, owners: Any = (OWNER,), annotations: Any = None, **spec: Any) -> dict[str, Any]:
    """A mirror pod of the node n1."""
    annotated = {"kubernetes.io/config.mirror": "x"} if annotations is None else annotations
    metadata = {"name": "m", "namespace": "d", "annotations": annotated, "ownerReferences": list(owners)}
    return {"metadata": metadata, "spec": {"nodeName": "n1", "containers": [{"name": "c"}], **spec}}


def volume(**source: Any) -> dict[str, Any]:
    """A spec with one volume."""
    return {"volumes": [{"name": "v", **source}]}


def projected(**source: Any) -> dict[str, Any]:
    """A spec with one projected volume."""
    return volume(projected={"sources": [source]})


def env(kind: str) -> dict[str, Any]:
    """A container with a variable out of a Secret or a ConfigMap."""
    return {"name": "e", "env": [{"name": "A", "valueFrom": {f"{kind}KeyRef": {"name": "x", "key": "k"}}}]}


SECRETS = [
    volume(secret={"secretName": "s"}),
    projected(secret={"name": "s"}),
    volume(azureFile={"secretName": "s", "shareName": "x"}),
    volume(cephfs={"secretRef": {"name": "s"}}),
    volume(csi={"driver": "d", "nodePublishSecretRef": {"name": "s"}}),
    {"imagePullSecrets": [{"name": "s"}]},
    {"containers": [env("secret")]},
    {"initContainers": [env("secret")]},
    {"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "s"}}]}]},
]
CONFIG_MAPS = [
    volume(configMap={"name": "s"}),
    projected(configMap={"name": "s"}),
    {"containers": [env("configMap")]},
    {"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "s"}}]}]},
]
CLAIMS = [volume(persistentVolumeClaim={"claimName": "s"}), volume(ephemeral={"volumeClaimTemplate": {}})]


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        *((spec, "secrets") for spec in SECRETS),
        *((spec, "configmaps") for spec in CONFIG_MAPS),
        *((spec, "persistentvolumeclaims") for spec in CLAIMS),
        ({"serviceAccountName": "default"}, "a service account"),
        (projected(serviceAccountToken={"path": "t"}), "a service account"),
        (projected(clusterTrustBundle={"name": "b"}), "clustertrustbundles"),
    ],
)
def test_a_kubelet_creates_no_pod_that_names_objects(cache: WatchCache, spec: Any, named: str) -> None:
    expected = f'node "n1" can not create pods that reference {named}'
    assert refusal_for_node(mirror(**spec), "n1", cache) == expected
    proposal = Proposal(
        User("system:node:n1", ("system:nodes",)), "create", PODS, "", mirror(**spec), None, place=Place("d", "m")
    )
    with pytest.raises(StatusError, match=expected) as refused:
        node_restriction(proposal, cache)
    assert refused.value.code == 403


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        *((spec, "a mirror pod may not reference secrets") for spec in SECRETS),
        *((spec, "") for spec in (*CONFIG_MAPS, *CLAIMS)),
        ({"serviceAccountName": "default"}, "a mirror pod may not reference service accounts"),
        (
            projected(serviceAccountToken={"path": "t"}),
            "a mirror pod may not use ServiceAccountToken volume projections",
        ),
    ],
)
def test_nobody_creates_a_mirror_pod_with_rights(spec: Any, words: str) -> None:
    assert refusal_for_everybody(mirror(**spec)) == words


@pytest.mark.parametrize(
    ("pod", "words"),
    [
        (mirror(), ""),
        (mirror(**volume(emptyDir={})), ""),
        (mirror(annotations={}), "can only create mirror pods"),
        (mirror(nodeName="n2"), "with spec.nodeName set to itself"),
        (mirror(owners=()), "with an owner reference set to itself"),
        (mirror(owners=(OWNER, OWNER)), "with a single owner reference set to itself"),
        (mirror(owners=({**OWNER, "kind": "Pod"},)), "with an owner reference set to itself"),
        (mirror(owners=({**OWNER, "apiVersion": "v2"},)), "with an owner reference set to itself"),
        (mirror(owners=({**OWNER, "controller": False},)), "with a controller owner reference set to itself"),
        (mirror(owners=({**OWNER, "blockOwnerDeletion": True},)), "must not set blockOwnerDeletion"),
        (mirror(owners=({**OWNER, "uid": "u2"},)), "node n1 UID mismatch: expected u2 got u1"),
    ],
)
def test_a_mirror_pod_is_its_nodes(cache: WatchCache, pod: Any, words: str) -> None:
    found = refusal_for_node(pod, "n1", cache)
    assert words in found and bool(words) == bool(found)


def test_a_node_that_is_not_there_owns_nothing() -> None:
    assert 'node "n1" not found' in refusal_for_node(mirror(), "n1", WatchCache())
