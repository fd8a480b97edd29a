"""What objects take of quotas: counted alike by the apiserver, which charges, and by the controller, which recounts.

Every object counts for `count/<resource>.<group>`, a few of the core group also by their bare name. Pods add what they
request and may use while they are not finished and not long overdue (a node that is lost keeps its pods for ever, but
not their share), Services their node ports and load balancers, claims their storage
(also per class). A quota with scopes is about those pods only to which all its scopes apply.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from kubus.model.objects import Object
from kubus.model.qos import qos_class
from kubus.model.resource_totals import LIMITS, REQUESTS, Amounts, add, amounts, pod_totals
from kubus.model.times import parse_time

PODS, SERVICES, CLAIMS = "pods.core", "services.core", "persistentvolumeclaims.core"
UNCOUNTED = frozenset({"events.core", "events.events.k8s.io"})
CHANGING = frozenset({PODS, SERVICES, CLAIMS})
"""Collections whose objects may come to take more or less."""
MUST_SAY = ("cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory")
"""If a quota limits one of these, every container has to say how much."""
_BY_NAME = frozenset({"configmaps", "replicationcontrollers", "resourcequotas", "secrets"})
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
DEVICE_CLAIMS = "resourceclaims.resource.k8s.io"
DEVICE_CLASS = ".deviceclass.resource.k8s.io/devices"
OVERDUE_AFTER_MIN = timedelta(seconds=30)
"""However short its grace: what a kubelet is about to finish is given back when it is gone, exactly."""
DEVICES_MAX = 32
"""As many devices as a claim can be given."""
_CLASS = ".storageclass.storage.k8s.io/"


def usage(collection: str, obj: Object, now: datetime) -> Amounts:
    """What an object takes, by the names that quotas use."""
    plural, _, group = collection.partition(".")
    found: Amounts = {f"count/{plural}" if group == "core" else f"count/{plural}.{group}": Fraction(1)}
    if collection == PODS:
        if not is_finished(obj) and not is_overdue(obj, now):
            found |= _pod(obj.get("spec") or {})
    elif collection == SERVICES:
        found |= _service(obj.get("spec") or {})
    elif collection == CLAIMS:
        found |= _claim(obj)
    elif collection == DEVICE_CLAIMS:
        found |= _devices(obj)
    elif group == "core" and plural in _BY_NAME:
        found[plural] = Fraction(1)
    return found


def is_finished(pod: Object) -> bool:
    """Whether a pod takes nothing any more."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_overdue(pod: Object, now: datetime) -> bool:
    """Whether a pod should have been gone for as long again as it had to say goodbye."""
    ends, grace = (pod["metadata"].get(each) for each in ("deletionTimestamp", "deletionGracePeriodSeconds"))
    if not ends or grace is None:
        return False
    return now > parse_time(ends) + max(timedelta(seconds=grace), OVERDUE_AFTER_MIN)


def _pod(spec: dict[str, Any]) -> Amounts:
    found: Amounts = {"pods": Fraction(1)}
    for name, amount in pod_totals(spec, REQUESTS).items():
        found[f"requests.{name}"] = amount
        if name in _COMPUTE or name.startswith("hugepages-"):
            found[name] = amount
    for name, amount in pod_totals(spec, LIMITS).items():
        if name in _COMPUTE:
            found[f"limits.{name}"] = amount
    return found


def _service(spec: dict[str, Any]) -> Amounts:
    ports, kind = spec.get("ports") or (), spec.get("type")
    found: Amounts = {"services": Fraction(1)}
    if kind == "LoadBalancer":
        found["services.loadbalancers"] = Fraction(1)
        if spec.get("allocateLoadBalancerNodePorts") is False:
            ports = [each for each in ports if each.get("nodePort")]
    if kind in ("NodePort", "LoadBalancer"):
        found["services.nodeports"] = Fraction(len(ports))
    return found


def _claim(obj: Object) -> Amounts:
    spec = obj.get("spec") or {}
    annotations = obj["metadata"].get("annotations") or {}
    storage_class = annotations.get("volume.beta.kubernetes.io/storage-class") or spec.get("storageClassName")
    found: Amounts = {"persistentvolumeclaims": Fraction(1)}
    storage = amounts((spec.get("resources") or {}).get("requests")).get("storage")
    allocated = amounts((obj.get("status") or {}).get("allocatedResources")).get("storage")
    if storage is not None:
        found["requests.storage"] = max(storage, allocated or storage)
    if storage_class:
        found |= {f"{storage_class}{_CLASS}{name}": amount for name, amount in list(found.items())}
    return found


def _devices(obj: Object) -> Amounts:
    """The devices of each class that a claim may come to hold."""
    found: Amounts = {}
    for request in ((obj.get("spec") or {}).get("devices") or {}).get("requests") or ():
        choices: Amounts = {}
        exactly = [request["exactly"]] if request.get("exactly") else []
        for each in (*exactly, *(request.get("firstAvailable") or ())):
            if each.get("deviceClassName"):
                count = DEVICES_MAX if each.get("allocationMode") == "All" else each.get("count") or 1
                name = f"{each['deviceClassName']}{DEVICE_CLASS}"
                choices[name] = max(choices.get(name, Fraction(0)), Fraction(count))
        add(found, choices)
    return found


def concerns(spec: dict[str, Any], collection: str, obj: Object) -> bool:
    """Whether a quota's scopes include an object."""
    scopes = spec.get("scopes") or ()
    terms = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    if not scopes and not terms:
        return True
    if collection not in (PODS, CLAIMS):
        return False
    wanted = [*({"scopeName": scope, "operator": "Exists"} for scope in scopes), *terms]
    return all(_in_scope(term, collection, obj) for term in wanted)


def _in_scope(term: dict[str, Any], collection: str, obj: Object) -> bool:
    scope, spec = term.get("scopeName"), obj.get("spec") or {}
    if scope == "VolumeAttributesClass":
        return collection == CLAIMS and any(_selected(term, name) for name in _attribute_classes(obj))
    if collection != PODS:
        return False
    if scope == "PriorityClass":
        return _selected(term, spec.get("priorityClassName") or "")
    limited = (spec.get("activeDeadlineSeconds") or -1) >= 0
    best_effort = scope in ("BestEffort", "NotBestEffort") and qos_class(obj) == "BestEffort"
    return {
        "Terminating": limited,
        "NotTerminating": not limited,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "CrossNamespacePodAffinity": _crosses_namespaces(spec),
    }.get(scope or "", False)


def _attribute_classes(claim: Object) -> set[str]:
    """The attribute classes that a claim has, had, or is about to have."""
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    target = (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName")
    names = {spec.get("volumeAttributesClassName"), status.get("currentVolumeAttributesClassName"), target}
    return {name for name in names if name} or {""}


def _selected(term: dict[str, Any], value: str) -> bool:
    operator, values = term.get("operator"), term.get("values") or ()
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    return bool(value) == (operator == "Exists")


def _crosses_namespaces(spec: dict[str, Any]) -> bool:
    affinity = spec.get("affinity") or {}
    for key in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(key) or {}
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [each.get("podAffinityTerm") or {} for each in preferred]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


def unsaid(hard: dict[str, Any], pod: Object) -> dict[str, list[str]]:
    """What the containers of a pod would have to say for a quota to be applied: resource → names of containers."""
    found: dict[str, list[str]] = {}
    spec = pod.get("spec") or {}
    of_pod = spec.get("resources") or {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container.get("resources") or {}
        for name in MUST_SAY:
            if name not in hard:
                continue
            field = LIMITS if name.startswith("limits.") else REQUESTS
            plain = name.rpartition(".")[2]
            if plain not in (resources.get(field) or {}) and plain not in (of_pod.get(field) or {}):
                found.setdefault(name, []).append(container.get("name") or "")
    return {name: sorted(set(names)) for name, names in sorted(found.items())}
