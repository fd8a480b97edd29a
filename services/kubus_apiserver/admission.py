"""Admission: what the cluster adds to an object, or refuses, beyond its own rules.

A plug-in is a pure function of a `Proposal` and of the cache as it stands. All mutators run before defaults are
final and rules are checked, all validators after, as in Kubernetes. The namespace's own life cycle is not here:
it may have to ask the store, see `kubus_apiserver.namespaces`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kubus.model.errors import forbidden
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object
from kubus_apiserver.calls import User
from kubus_apiserver.watchcache import WatchCache

_TOLERATION_SECONDS = 300
"""How long a pod stays on a node that is not ready or not reachable."""
_SYSTEM_PRIORITIES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


class Proposal(NamedTuple):
    """A write that is about to happen."""

    user: User
    verb: str
    """create, update or delete."""
    kind: Kind
    subresource: str
    object: Object
    """The new object (of a delete: the old one). Mutators change it in place."""
    old: Object | None


Mutator = Callable[[Proposal, WatchCache], None]
Validator = Callable[[Proposal, WatchCache], None]
"""Raises StatusError to refuse."""


class Chain(NamedTuple):
    """All mutators, then all validators."""

    mutators: tuple[Mutator, ...] = ()
    validators: tuple[Validator, ...] = ()

    def mutate(self, proposal: Proposal, cache: WatchCache) -> None:
        """Let every mutator change the object."""
        for mutator in self.mutators:
            mutator(proposal, cache)

    def validate(self, proposal: Proposal, cache: WatchCache) -> None:
        """Let every validator refuse the object.

        Raises:
            StatusError
        """
        for validator in self.validators:
            validator(proposal, cache)


def _is_new_pod(proposal: Proposal) -> bool:
    return proposal.verb == "create" and proposal.kind.collection == "pods.core" and not proposal.subresource


def service_account(proposal: Proposal, _cache: WatchCache) -> None:
    """A pod that names no service account runs as its namespace's `default`."""
    if not _is_new_pod(proposal):
        return
    spec = proposal.object.get("spec")
    if isinstance(spec, dict):
        name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def tolerations(proposal: Proposal, _cache: WatchCache) -> None:
    """A pod tolerates a node that is not ready or not reachable for five minutes, unless it says otherwise."""
    if not _is_new_pod(proposal):
        return
    spec = proposal.object.get("spec")
    if not isinstance(spec, dict):
        return
    present = spec.get("tolerations") or []
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATION_SECONDS}
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
        if not any(_covers(each, key) for each in present)
    ]
    if added:
        spec["tolerations"] = [*present, *added]


def _covers(toleration: Object, key: str) -> bool:
    return toleration.get("key") in (None, "", key) and toleration.get("effect") in (None, "", "NoExecute")


def priority(proposal: Proposal, cache: WatchCache) -> None:
    """A pod's priority is that of its class, of the global default class, or 0.

    Raises:
        StatusError: 403, there is no such class.
    """
    if not _is_new_pod(proposal):
        return
    spec = proposal.object.get("spec")
    if not isinstance(spec, dict):
        return
    name = spec.get("priorityClassName") or ""
    found: Object | None = None
    classes = cache.collection("priorityclasses.scheduling.k8s.io")
    if name:
        entry = cache.get(Key("priorityclasses.scheduling.k8s.io", "", name))
        if entry is not None:
            found = entry.object
        elif name in _SYSTEM_PRIORITIES:
            found = {"value": _SYSTEM_PRIORITIES[name]}
        else:
            detail = f"no PriorityClass with name {name} was found"
            raise forbidden("pods", "", proposal.object["metadata"].get("name") or "", detail)
    elif classes.entries:
        defaults = [entry.object for entry in classes.select() if entry.object.get("globalDefault")]
        found = min(defaults, key=lambda each: int(each["value"]), default=None)
        if found is not None:
            spec["priorityClassName"] = found["metadata"]["name"]
    spec["priority"] = int(found["value"]) if found else 0
    spec.setdefault("preemptionPolicy", (found or {}).get("preemptionPolicy") or "PreemptLowerPriority")


def namespace_protection(proposal: Proposal, _cache: WatchCache) -> None:
    """The cluster's own namespaces stay.

    Raises:
        StatusError: 403.
    """
    if proposal.verb == "delete" and proposal.kind.collection == "namespaces.core":
        name = proposal.object["metadata"]["name"]
        if name in ("default", "kube-system", "kube-public"):
            raise forbidden("namespaces", "", name, "this namespace may not be deleted")


BUILT_IN = Chain(mutators=(service_account, tolerations, priority), validators=(namespace_protection,))
