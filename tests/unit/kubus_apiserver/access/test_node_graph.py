"""The index of what nodes need, against a look at every pod."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubus.store import Stored
from kubus_apiserver.access.node_graph import NodeGraph, Ref, refs_of_pod
from kubus_apiserver.reading.watchcache import WatchCache

POD = {
    "metadata": {"name": "p", "namespace": "d"},
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "builder",
        "imagePullSecrets": [{"name": "pull"}],
        "initContainers": [{"name": "i", "envFrom": [{"secretRef": {"name": "init"}}]}],
        "containers": [
            {
                "name": "c",
                "env": [
                    {"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "k"}}},
                    {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "k"}}},
                    {"name": "C", "value": "x"},
                ],
            }
        ],
        "volumes": [
            {"name": "a", "secret": {"secretName": "vol"}},
            {"name": "b", "projected": {"sources": [{"secret": {"name": "proj"}}, {"configMap": {"name": "ca"}}]}},
            {"name": "c", "persistentVolumeClaim": {"claimName": "claim"}},
            {"name": "e", "ephemeral": {}},
            {"name": "f", "csi": {"driver": "x", "nodePublishSecretRef": {"name": "csi"}}},
            {"name": "g", "ephemeral": {"volumeClaimTemplate": {}}},
        ],
    },
}


def test_a_pod_leads_to_all_it_names() -> None:
    found = {(each.kind, each.name) for each in refs_of_pod(POD)}
    assert found == {
        ("account", "builder"),
        ("secret", "pull"),
        ("secret", "init"),
        ("secret", "key"),
        ("secret", "vol"),
        ("secret", "proj"),
        ("secret", "csi"),
        ("configmap", "conf"),
        ("configmap", "ca"),
        ("claim", "claim"),
        ("claim", "p-g"),
    }


def test_a_claim_leads_to_its_volume_and_that_to_its_secret(told: Any) -> None:
    graph = NodeGraph(told.cache)
    told.put("pods.core", "d", "p", spec=POD["spec"])
    told.put("persistentvolumeclaims.core", "d", "claim", spec={"volumeName": "pv"})
    csi = {"driver": "x", "nodeStageSecretRef": {"name": "stage", "namespace": "store"}}
    told.put("persistentvolumes.core", "", "pv", spec={"csi": csi})
    told.put("volumeattachments.storage.k8s.io", "", "va", spec={"nodeName": "n1"})
    assert graph.needs("n1", Ref("volume", "", "pv"))
    assert graph.needs("n1", Ref("secret", "store", "stage"))
    assert graph.needs("n1", Ref("attachment", "", "va"))
    assert not graph.needs("n2", Ref("volume", "", "pv"))
    told.put("persistentvolumeclaims.core", "d", "claim", spec={})
    assert not graph.needs("n1", Ref("volume", "", "pv"))


def test_a_mirror_pod_leads_to_nothing_but_itself(told: Any) -> None:
    graph = NodeGraph(told.cache)
    told.put("pods.core", "d", "p", metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}, spec=POD["spec"])
    assert graph.needs("n1", Ref("pod", "d", "p"))
    assert not graph.needs("n1", Ref("secret", "d", "vol"))


def test_a_cache_that_is_filled_anew_is_looked_at_anew(told: Any) -> None:
    graph = NodeGraph(told.cache)
    told.put("pods.core", "d", "p", spec=POD["spec"])
    assert graph.needs("n1", Ref("secret", "d", "vol"))
    told.cache.replace(list[Stored](), 100)
    assert not graph.needs("n1", Ref("secret", "d", "vol"))
    told.put("pods.core", "d", "p", spec=POD["spec"])
    assert graph.needs("n1", Ref("secret", "d", "vol"))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["", "n1", "n2", "gone"]),
        st.sampled_from(["s", "t"]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_index_knows_what_a_look_at_every_pod_would(told: Any, steps: list[tuple[str, str, str, bool]]) -> None:
    told.cache = WatchCache()
    graph = NodeGraph(told.cache)
    pods: dict[str, tuple[str, str]] = {}
    for name, node, secret, ask in steps:
        if node == "gone":
            if pods.pop(name, None) is not None:
                told.remove("pods.core", "d", name)
        else:
            pods[name] = (node, secret)
            spec = {
                "volumes": [{"name": "v", "secret": {"secretName": secret}}],
                **({"nodeName": node} if node else {}),
            }
            told.put("pods.core", "d", name, spec=spec)
        if ask:
            _compare(graph, pods)
    _compare(graph, pods)


def _compare(graph: NodeGraph, pods: dict[str, tuple[str, str]]) -> None:
    for node in ("n1", "n2"):
        for secret in ("s", "t"):
            wanted = any(each == (node, secret) for each in pods.values())
            assert graph.needs(node, Ref("secret", "d", secret)) is wanted, f"{node} {secret} {pods}"
        for name in ("a", "b", "c"):
            assert graph.needs(node, Ref("pod", "d", name)) is (pods.get(name, ("", ""))[0] == node)
