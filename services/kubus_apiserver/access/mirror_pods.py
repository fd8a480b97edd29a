"""Mirror pods: what a node shows of the pods that it runs of its own accord, and what they may not name.

A mirror pod gives its node rights to whatever it names, so it names nothing: no account, Secret, ConfigMap, claim or
trust bundle. The ServiceAccount plug-in holds everybody to the first of these rules, NodeRestriction holds kubelets to
all of them and to one owner, which is their own Node as it stands.
"""

from __future__ import annotations

from kubus.model.objects import Key, Object, annotations_of, path_of, uid_of
from kubus_apiserver.access.node_graph import refs_of_pod
from kubus_apiserver.reading.watchcache import WatchCache

MIRROR = "kubernetes.io/config.mirror"
_NODES = "nodes.core"


def is_mirror(pod: Object) -> bool:
    """Whether a pod is a mirror pod."""
    return MIRROR in annotations_of(pod)


def refusal_for_everybody(pod: Object) -> str:
    """Why nobody may create this mirror pod; "" if it is fine."""
    if path_of(pod, "spec", "serviceAccountName"):
        return "a mirror pod may not reference service accounts"
    if _names_any(pod, "secret"):
        return "a mirror pod may not reference secrets"
    if _projects(pod, "serviceAccountToken"):
        return "a mirror pod may not use ServiceAccountToken volume projections"
    return ""


def refusal_for_node(pod: Object, node: str, cache: WatchCache) -> str:
    """Why a node's kubelet may not create this pod; "" if it may."""
    if not is_mirror(pod):
        return f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
    if path_of(pod, "spec", "nodeName", default="") != node:
        return f'node "{node}" can only create pods with spec.nodeName set to itself'
    wrong_owner = _owner_refusal(pod["metadata"].get("ownerReferences") or [], node, cache)
    if wrong_owner:
        return wrong_owner
    named = _reference_of(pod)
    return f'node "{node}" can not create pods that reference {named}' if named else ""


def _reference_of(pod: Object) -> str:
    if path_of(pod, "spec", "serviceAccountName"):
        return "a service account"
    if _names_any(pod, "secret"):
        return "secrets"
    if _names_any(pod, "configmap"):
        return "configmaps"
    if _projects(pod, "clusterTrustBundle"):
        return "clustertrustbundles"
    if _projects(pod, "serviceAccountToken"):
        return "a service account"
    if _names_any(pod, "claim"):
        return "persistentvolumeclaims"
    return ""


def _owner_refusal(owners: list[Object], node: str, cache: WatchCache) -> str:
    if not owners:
        return f'node "{node}" can only create pods with an owner reference set to itself'
    if len(owners) > 1:
        return f'node "{node}" can only create pods with a single owner reference set to itself'
    owner = owners[0]
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        return f'node "{node}" can only create pods with an owner reference set to itself'
    if not owner.get("controller"):
        return f'node "{node}" can only create pods with a controller owner reference set to itself'
    if owner.get("blockOwnerDeletion"):
        return f'node "{node}" must not set blockOwnerDeletion on an owner reference'
    entry = cache.get(Key(_NODES, "", node))
    if entry is None:
        return f'error looking up node {node} to verify uid: node "{node}" not found'
    uid = uid_of(entry.object)
    if owner.get("uid") != uid:
        return f"node {node} UID mismatch: expected {owner.get('uid')} got {uid}"
    return ""


def _names_any(pod: Object, kind: str) -> bool:
    return any(ref.kind == kind for ref in refs_of_pod(pod))


def _projects(pod: Object, source: str) -> bool:
    volumes = path_of(pod, "spec", "volumes", default=()) or ()
    sources = (each for volume in volumes for each in path_of(volume, "projected", "sources", default=()) or ())
    return any(each.get(source) is not None for each in sources)
