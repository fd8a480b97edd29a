"""The pods of a StatefulSet: their names, what they bear, and the claims that belong to them. Pure.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity
"""

from __future__ import annotations

from typing import Any

from kubus.model.kinds.persistentvolumeclaims import KIND as CLAIMS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object, labels_of, metadata, name_of, namespace_of, path_of
from kubus_controllers.reconcilers.pods_of import controller_reference
from kubus_controllers.reconcilers.revisions import HASH

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


def pod_name(stateful_set: Object, ordinal: int) -> str:
    """`web-0`."""
    return f"{name_of(stateful_set)}-{ordinal}"


def ordinal_of(stateful_set: Object, pod: Object) -> int | None:
    """The ordinal in a pod's name; None if it is no name of this set."""
    text = name_of(pod).removeprefix(f"{name_of(stateful_set)}-")
    return int(text) if text != name_of(pod) and text.isascii() and text.isdigit() else None


def new_pod(stateful_set: Object, template: Object, revision: str, ordinal: int) -> Object:
    """The pod of an ordinal, from a template of a revision (by its name)."""
    name, spec = pod_name(stateful_set, ordinal), dict(template.get("spec") or {})
    labels = {**labels_of(template), POD_NAME: name, POD_INDEX: str(ordinal), HASH: revision}
    meta: dict[str, Any] = {
        "name": name,
        "generateName": f"{name_of(stateful_set)}-",
        "namespace": namespace_of(stateful_set),
        "labels": labels,
        "ownerReferences": [controller_reference(stateful_set)],
    }
    for field in ("annotations", "finalizers"):
        if metadata(template).get(field):
            meta[field] = metadata(template)[field]
    spec["hostname"] = name
    if service := path_of(stateful_set, "spec", "serviceName"):
        spec["subdomain"] = service
    volumes = {name_of(each): each for each in _claims(stateful_set)}
    if volumes:
        mine = [
            {"name": each, "persistentVolumeClaim": {"claimName": f"{each}-{name}", "readOnly": False}}
            for each in volumes
        ]
        spec["volumes"] = [*mine, *(each for each in spec.get("volumes") or () if each.get("name") not in volumes)]
    return {"apiVersion": PODS.api_version, "kind": PODS.name, "metadata": meta, "spec": spec}


def _claims(stateful_set: Object) -> list[Object]:
    return list(path_of(stateful_set, "spec", "volumeClaimTemplates", default=()))


def claims_of(stateful_set: Object, ordinal: int) -> list[Object]:
    """The claims of an ordinal's pod; they outlive it."""
    made = []
    for template in _claims(stateful_set):
        labels = path_of(stateful_set, "spec", "selector", "matchLabels", default={})
        meta = {
            **metadata(template),
            "name": f"{name_of(template)}-{pod_name(stateful_set, ordinal)}",
            "namespace": namespace_of(stateful_set),
            "labels": {**labels_of(template), **labels},
        }
        spec = template.get("spec") or {}
        made.append({"apiVersion": CLAIMS.api_version, "kind": CLAIMS.name, "metadata": meta, "spec": spec})
    return made
