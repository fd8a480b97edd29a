"""PodTopologyLabels: a pod carries the zone and the region of the node that it is put on.

They are written into the Binding, and go from there onto the pod together with whatever labels a webhook adds; a pod
that names its node itself gets them when it is created.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podtopologylabels
"""

from __future__ import annotations

from kubus.model.objects import Key, Object, labels_of, path_of
from kubus_apiserver.admission import Proposal
from kubus_apiserver.reading.watchcache import WatchCache

_LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
_BINDINGS = {("bindings.core", ""), ("pods.core", "binding")}


def topology_labels(proposal: Proposal, cache: WatchCache) -> None:
    """Label a Binding, or a new pod with a node, with where the node is."""
    if proposal.verb != "create":
        return
    if (proposal.kind.collection, proposal.subresource) in _BINDINGS:
        _label(proposal.object, path_of(proposal.object, "target", "name", default=""), cache)
    elif proposal.is_new("pods.core"):
        _label(proposal.object, path_of(proposal.object, "spec", "nodeName", default=""), cache)


def _label(obj: Object, node: str, cache: WatchCache) -> None:
    entry = cache.get(Key("nodes.core", "", node)) if node else None
    if entry is None:
        return
    labels = labels_of(entry.object)
    found = {key: labels[key] for key in _LABELS if key in labels}
    if found:
        metadata = obj["metadata"] = obj.get("metadata") or {}
        metadata["labels"] = {**(metadata.get("labels") or {}), **found}
