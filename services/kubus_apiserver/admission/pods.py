"""What a new pod is given: the account it runs as, its priority, and patience with lost nodes.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from kubus.model.objects import Key, Object, annotations_of, name_of, path_of
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.runtime_classes import COLLECTION as RUNTIME_CLASSES
from kubus_apiserver.reading.watchcache import WatchCache

PODS = "pods.core"
MIRROR = "kubernetes.io/config.mirror"
_TOLERATION_SECONDS = 300
"""How long a pod stays on a node that is not ready or not reachable."""
_CLASSES = "priorityclasses.scheduling.k8s.io"
_SYSTEM_PRIORITIES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def service_account(proposal: Proposal, _cache: WatchCache) -> None:
    """A pod that names no service account runs as its namespace's `default`."""
    if not proposal.is_new(PODS):
        return
    spec = proposal.object.get("spec")
    if isinstance(spec, dict) and MIRROR not in annotations_of(proposal.object):
        name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def tolerations(proposal: Proposal, _cache: WatchCache) -> None:
    """A pod tolerates a node that is not ready or not reachable for five minutes, unless it says otherwise."""
    if not proposal.is_new(PODS):
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
        StatusError: 403, there is no such class, or the pod says another number.
    """
    if not proposal.is_new(PODS):
        return
    spec = proposal.object.get("spec")
    if not isinstance(spec, dict):
        return
    found = _class_of(proposal, spec, cache)
    value = int(found["value"]) if found else 0
    if spec.get("priority") not in (None, value):
        detail = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
        raise proposal.refused(detail)
    spec["priority"] = value
    policy = (found or {}).get("preemptionPolicy") or "PreemptLowerPriority"
    if spec.get("preemptionPolicy") not in (None, policy):
        detail = (
            f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )
        raise proposal.refused(detail)
    spec["preemptionPolicy"] = policy


def is_class_unknown(pod: Object, cache: WatchCache) -> bool:
    """Whether a new pod names a priority class or a runtime class that the cache has not, or not yet."""
    for field, collection in (("priorityClassName", _CLASSES), ("runtimeClassName", RUNTIME_CLASSES)):
        name = path_of(pod, "spec", field)
        named = isinstance(name, str) and name not in ("", *_SYSTEM_PRIORITIES)
        if named and cache.get(Key(collection, "", name)) is None:
            return True
    return False


def one_default_priority(proposal: Proposal, cache: WatchCache) -> None:
    """There is one default among the priority classes.

    Raises:
        StatusError: 403.
    """
    if proposal.verb == "delete" or proposal.kind.collection != _CLASSES or not proposal.object.get("globalDefault"):
        return
    others = [each for each in _defaults(cache) if proposal.old is None or name_of(each) != proposal.name]
    if others:
        name = name_of(others[0])
        raise proposal.refused(f"PriorityClass {name} is already marked as default. Only one default can exist")


def _defaults(cache: WatchCache) -> list[Object]:
    classes = cache.collection(_CLASSES)
    if not classes.entries:
        return []
    return [entry.object for entry in classes.select() if entry.object.get("globalDefault")]


def _class_of(proposal: Proposal, spec: Object, cache: WatchCache) -> Object | None:
    name = spec.get("priorityClassName") or ""
    if name:
        entry = cache.get(Key(_CLASSES, "", name))
        if entry is not None:
            return entry.object
        if name not in _SYSTEM_PRIORITIES:
            raise proposal.refused(f"no PriorityClass with name {name} was found")
        return {"value": _SYSTEM_PRIORITIES[name]}
    found = min(_defaults(cache), key=lambda each: int(each["value"]), default=None)
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
    return found
