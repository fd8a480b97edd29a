"""What a kubelet may not write even where it may write."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.store import StoreChange
from kubus_apiserver.access.node_restriction import check_token_request, node_restriction
from kubus_apiserver.admission import Place, Proposal
from kubus_apiserver.calls import User
from kubus_apiserver.reading.watchcache import WatchCache

KUBELET = User("system:node:n1", ("system:nodes",))


def pod(node: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", **metadata}, "spec": {"nodeName": node}}


def node(name: str, *, taints: Any = (), **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": list(taints)}}


def ranged(cidr: str) -> dict[str, Any]:
    return {"metadata": {"name": "n1"}, "spec": {"podCIDR": cidr, "podCIDRs": [cidr]}}


TAINT = [{"key": "k", "effect": "NoSchedule"}]


@pytest.mark.parametrize(
    ("verb", "kind", "subresource", "new", "old", "allowed"),
    [
        ("create", PODS, "", pod("n1"), None, False),
        ("delete", PODS, "", pod("n1"), pod("n1"), True),
        ("delete", PODS, "", pod("n2"), pod("n2"), False),
        ("update", PODS, "status", pod("n1"), pod("n1"), True),
        ("update", PODS, "status", pod("n2"), pod("n2"), False),
        ("update", PODS, "status", pod("n1", labels={"a": "b"}), pod("n1"), False),
        ("update", PODS, "", pod("n1"), pod("n1"), False),
        ("create", NODES, "", node("n1", taints=TAINT), None, True),
        ("create", NODES, "", node("n2"), None, False),
        (
            "create",
            NODES,
            "",
            {"metadata": {"name": "n1", "labels": {"node-restriction.kubernetes.io/a": "b"}}},
            None,
            False,
        ),
        ("update", NODES, "", node("n1", team="x"), node("n1"), True),
        ("update", NODES, "", node("n1", taints=TAINT), node("n1"), False),
        ("update", NODES, "status", node("n2"), node("n2"), False),
        ("create", NODES, "", ranged("10.0.0.0/8"), None, False),
        ("update", NODES, "", ranged("10.0.0.0/8"), node("n1"), False),
        ("update", NODES, "", ranged("10.0.0.0/8"), ranged("10.244.1.0/24"), False),
        ("update", NODES, "", ranged("10.244.1.0/24"), ranged("10.244.1.0/24"), True),
        ("update", NODES, "", node("n1"), ranged("10.244.1.0/24"), False),
        ("update", NODES, "", {"metadata": {"name": "n1", "labels": {"x.kubernetes.io/role": "m"}}}, node("n1"), False),
        (
            "update",
            NODES,
            "",
            {"metadata": {"name": "n1", "labels": {"kubernetes.io/hostname": "h"}}},
            node("n1"),
            True,
        ),
        ("update", LEASES, "", {"metadata": {"name": "n1", "namespace": "kube-node-lease"}}, {}, True),
        ("create", LEASES, "", {"metadata": {"name": "n2", "namespace": "kube-node-lease"}}, None, False),
        ("create", LEASES, "", {"metadata": {"name": "n1", "namespace": "kube-system"}}, None, False),
    ],
)
def test_a_kubelet_keeps_to_its_node(verb: str, kind: Any, subresource: str, new: Any, old: Any, allowed: bool) -> None:
    for user, good in ((KUBELET, allowed), (User("alice"), True)):
        proposal = Proposal(user, verb, kind, subresource, new, old)
        if good:
            node_restriction(proposal, WatchCache())
            continue
        with pytest.raises(StatusError) as refused:
            node_restriction(proposal, WatchCache())
        assert refused.value.code == 403


def bound(uid: str = "u") -> dict[str, Any]:
    return {"boundObjectRef": {"kind": "Pod", "name": "p", "uid": uid}}


def with_token(where: str, audience: str = "") -> dict[str, Any]:
    source = {"serviceAccountToken": {"path": "token", **({"audience": audience} if audience else {})}}
    return {"spec": {"nodeName": where, "volumes": [{"name": "v", "projected": {"sources": [source]}}]}}


@pytest.mark.parametrize(
    ("spec", "of", "words"),
    [
        (bound(), with_token("n1"), ""),
        ({**bound(), "audiences": ["vault"]}, with_token("n1", "vault"), ""),
        ({}, None, "not bound to a pod"),
        (bound(uid=""), with_token("n1"), "without a uid"),
        (bound(), with_token("n2"), "scheduled on a different node"),
        ({**bound(), "audiences": ["vault"]}, with_token("n1"), 'audience "vault" not found in pod spec volume'),
        (bound(), {"spec": {"nodeName": "n1"}}, 'audience "" not found in pod spec volume'),
    ],
)
def test_a_kubelet_gets_tokens_of_its_pods_only(spec: Any, of: Any, words: str) -> None:
    check_token_request(User("alice"), "default", spec, of)
    if not words:
        check_token_request(KUBELET, "default", spec, of)
        return
    with pytest.raises(StatusError, match=words):
        check_token_request(KUBELET, "default", spec, of)


@pytest.mark.parametrize(
    ("verb", "subresource", "name", "words"),
    [
        ("create", "eviction", "own", ""),
        ("create", "eviction", "other", 'node "n1" can only evict pods with spec.nodeName set to itself'),
        ("create", "eviction", "gone", ""),
        ("create", "binding", "own", 'unexpected subresource or operation of node "n1" on a pod'),
        ("connect", "exec", "other", ""),
    ],
)
def test_what_a_kubelet_may_ask_of_subresources(verb: str, subresource: str, name: str, words: str) -> None:
    cache = WatchCache()
    for revision, (each, at) in enumerate((("own", "n1"), ("other", "n2")), start=1):
        record = encode_record(Note("t", "t", "create", 0), {**pod(at), "metadata": {"name": each, "namespace": "a"}})
        cache.apply([StoreChange(store_key(Key("pods.core", "a", each)), record, revision, revision, None)])
    given = {"apiVersion": "v1", "kind": "Whatever"}
    asked = Proposal(KUBELET, verb, PODS, subresource, given, None, place=Place("a", name))
    if not words:
        node_restriction(asked, cache)
        return
    with pytest.raises(StatusError) as refused:
        node_restriction(asked, cache)
    assert str(refused.value) == f'pods "{name}" is forbidden: {words}'
