"""Kinds and fields that the API accepts and nothing in kubus acts upon yet.

They are data, in this one place: a client that writes one gets a `Warning:` header, docs/not-supported.md and the
README are generated from it, and tests/unit/kubus/model/test_unsupported.py holds it against the schema and against the
code: a field of a pod's spec that no node component reads has to be listed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kubus.model.objects import Object
from kubus.model.pod_templates import TEMPLATE_PATHS


class UnsupportedField(NamedTuple):
    """A field without an effect."""

    path: str
    """Below the object or pod spec; `[]` stands for every item of a list."""
    consequence: str
    """What happens instead."""
    values: tuple[Any, ...] = ()
    """The values that have no effect; empty: every value but an absent, empty or false one."""


KINDS: Mapping[str, str] = {
    "flowschemas.flowcontrol.apiserver.k8s.io": "priority levels and their limits are fixed",
    "horizontalpodautoscalers.autoscaling": "nothing is scaled: there is no autoscaling controller and no metrics",
    "ingresses.networking.k8s.io": "no ingress controller is part of kubus; one that runs beside it can serve them",
    "networkpolicies.networking.k8s.io": "no traffic is filtered: every pod can reach every pod",
    "persistentvolumeclaims.core": "nothing binds or provisions volumes: the claim stays Pending",
    "persistentvolumes.core": "nothing binds volumes to claims",
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": "priority levels and their limits are fixed",
    "resourceclaims.resource.k8s.io": "no device is allocated: there is no dynamic resource allocation",
    "servicecidrs.networking.k8s.io": "addresses come from the range that the cluster was made with",
    "storageclasses.storage.k8s.io": "nothing provisions volumes",
    "storageversionmigrations.storagemigration.k8s.io": "nothing migrates stored objects",
    "volumeattachments.storage.k8s.io": "nothing attaches volumes",
}
"""Collections whose objects are stored and served, and nothing more."""

_CONTAINER: tuple[UnsupportedField, ...] = (
    UnsupportedField("ports[].hostIP", "nothing listens on the node"),
    UnsupportedField(
        "ports[].hostPort", "nothing listens on the node; the scheduler and the node keep it from conflicts"
    ),
    UnsupportedField("resizePolicy", "a running container is not resized"),
    UnsupportedField("restartPolicyRules", "the restart policy applies to every exit code"),
    UnsupportedField("securityContext.appArmorProfile", "no AppArmor profile is applied"),
    UnsupportedField("securityContext.procMount", "/proc is masked as by default", ("Unmasked",)),
    UnsupportedField("securityContext.seLinuxOptions", "no SELinux label is applied"),
    UnsupportedField("volumeDevices", "no block device is attached"),
    UnsupportedField("volumeMounts[].bindMountOptions", "the volume is mounted with the usual options"),
    UnsupportedField(
        "volumeMounts[].recursiveReadOnly", "mounts below the volume stay writable", ("Enabled", "IfPossible")
    ),
)
_NOT_EPHEMERAL = ("ports", "resizePolicy")
"""Fields that an ephemeral container may not have."""

POD_SPEC_FIELDS: tuple[UnsupportedField, ...] = (
    UnsupportedField("enableServiceLinks", "only the Service `kubernetes` is in the environment", (True,)),
    UnsupportedField("evictionResponders", "nobody is asked before an eviction"),
    UnsupportedField("hostUsers", "containers share the node's user namespace", (False,)),
    UnsupportedField("hostnameOverride", "the host name follows hostname and the pod's name"),
    UnsupportedField("os.name", "pods run on Linux", ("windows",)),
    UnsupportedField("preemptionPolicy", "the scheduler does not preempt", ("PreemptLowerPriority",)),
    UnsupportedField("resourceClaims", "no device is allocated"),
    UnsupportedField("resources", "requests and limits apply to each container only"),
    UnsupportedField("runtimeClassName", "containers run on the node's own OCI runtime; the handler is not looked at"),
    UnsupportedField("securityContext.appArmorProfile", "no AppArmor profile is applied"),
    UnsupportedField("securityContext.fsGroupChangePolicy", "ownership is always set", ("OnRootMismatch",)),
    UnsupportedField("securityContext.seLinuxChangePolicy", "no SELinux label is applied"),
    UnsupportedField("securityContext.seLinuxOptions", "no SELinux label is applied"),
    UnsupportedField("securityContext.supplementalGroupsPolicy", "groups of the image stay", ("Strict",)),
    UnsupportedField("setHostnameAsFQDN", "the host name stays short", (True,)),
    UnsupportedField("shareProcessNamespace", "each container has a process namespace of its own", (True,)),
    *(
        UnsupportedField(f"{containers}[].{field.path}", field.consequence, field.values)
        for containers in ("containers", "initContainers", "ephemeralContainers")
        for field in _CONTAINER
        if containers != "ephemeralContainers" or not field.path.startswith(_NOT_EPHEMERAL)
    ),
)
"""Fields below a pod's spec, wherever a pod or a template of one is written."""

OBJECT_FIELDS: Mapping[str, tuple[UnsupportedField, ...]] = {
    "services.core": (
        UnsupportedField("spec.healthCheckNodePort", "nothing answers on the port"),
        UnsupportedField("spec.loadBalancerClass", "no load balancer is made: the address stays pending"),
        UnsupportedField("spec.loadBalancerSourceRanges", "no load balancer is made"),
        UnsupportedField("spec.sessionAffinityConfig", "affinity is by a hash of the client, without a time-out"),
        UnsupportedField("spec.trafficDistribution", "traffic is spread over all endpoints"),
        UnsupportedField("spec.type", "no load balancer is made: the address stays pending", ("LoadBalancer",)),
        UnsupportedField("spec.externalName", "there is no cluster DNS to answer with it"),
    ),
}
"""Fields of other objects, by collection."""


_Tree = dict[str, Any]
"""Field names → a tree of the fields below, or an UnsupportedField. Lists are walked through."""


def _tree_of(fields: Sequence[UnsupportedField]) -> _Tree:
    tree: _Tree = {}
    for field in fields:
        *parents, last = field.path.replace("[]", "").split(".")
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = field
    return tree


_POD_TREE = _tree_of(POD_SPEC_FIELDS)
_OBJECT_TREES = {collection: _tree_of(fields) for collection, fields in OBJECT_FIELDS.items()}


def unsupported_uses(collection: str, obj: Object, old: Object | None) -> list[str]:
    """Warnings for what an object uses of this, and its former state did not.

    A kind is warned of when an object of it is created.
    """
    warnings = []
    if old is None and collection in KINDS:
        warnings.append(f"{obj.get('kind') or collection.partition('.')[0]}: {KINDS[collection]}")
    for path, tree in _trees(collection):
        used = list(_uses(_below(obj, path), tree, ".".join(path)))
        if used:
            before = {field for field, _ in _uses(_below(old, path), tree, "")}
            warnings += [f"{where}: {field.consequence}" for field, where in used if field not in before]
    return warnings


def _trees(collection: str) -> Iterator[tuple[tuple[str, ...], _Tree]]:
    """(path, fields below it) of a collection's objects."""
    if collection in _OBJECT_TREES:
        yield (), _OBJECT_TREES[collection]
    if collection == "pods.core":
        yield ("spec",), _POD_TREE
    elif collection in TEMPLATE_PATHS:
        yield (*TEMPLATE_PATHS[collection], "spec"), _POD_TREE


def _below(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _uses(value: Any, tree: _Tree, where: str) -> Iterator[tuple[UnsupportedField, str]]:
    """(field, path) of each use below a value."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _uses(item, tree, f"{where}[{index}]")
    elif isinstance(value, dict):
        for name in value.keys() & tree.keys():
            below, inner = tree[name], value[name]
            path = f"{where}.{name}" if where else name
            if not isinstance(below, UnsupportedField):
                yield from _uses(inner, below, path)
            elif inner in below.values if below.values else inner not in (None, "", False, [], {}):
                yield below, path
