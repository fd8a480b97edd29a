"""What a new pod is given: the account it runs as, its priority, and patience with lost nodes.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from kubus.model.objects import Key, Object
from kubus_apiserver.admission import Proposal
from kubus_apiserver.reading.watchcache import WatchCache

PODS = "pods.core"
_TOLERATION_SECONDS = 300
"""How long a pod stays on a node that is not ready or not reachable."""
_CLASSES = "priorityclasses.scheduling.k8s.io"
_SYSTEM_PRIORITIES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def service_account(proposal: Proposal, _cache: WatchCache) -> None:
    """A pod that names no service account runs as its namespace's `default`."""
    if not proposal.is_new(PODS):
        return
    spec = proposal.object.get("spec")
    if isinstance(spec, dict):
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


def _class_of(proposal: Proposal, spec: Object, cache: WatchCache) -> Object | None:
    name = spec.get("priorityClassName") or ""
    if name:
        entry = cache.get(Key(_CLASSES, "", name))
        if entry is not None:
            return entry.object
        if name not in _SYSTEM_PRIORITIES:
            raise proposal.refused(f"no PriorityClass with name {name} was found")
        return {"value": _SYSTEM_PRIORITIES[name]}
    classes = cache.collection(_CLASSES)
    if not classes.entries:
        return None
    defaults = [entry.object for entry in classes.select() if entry.object.get("globalDefault")]
    found = min(defaults, key=lambda each: int(each["value"]), default=None)
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
    return found
