"""Quotas: what is used of them, counted.

The apiserver charges a quota for every write and gives back with every deletion, so counting is for three cases only: a
new quota, a new limit in one, and what was lost in a crash between an object and its charge. In the last case, and
only there, somebody else may be about to correct what looks wrong: an apiserver that has charged and not yet
written, or deleted and not yet given back. So a difference is written down first, in an annotation, and `used`
is corrected when the quota has been left alone for ten seconds since then and the count is still the same.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial

from kubus.machinery.plans import Controller, Patch, Plan, SetStatus, View
from kubus.model.kinds import Kind
from kubus.model.kinds.resourcequotas import KIND as QUOTAS
from kubus.model.objects import Object, annotations_of, name_of, namespace_of
from kubus.model.quota_usage import CLAIMS, DEVICE_CLAIMS, DEVICE_CLASS, PODS, SERVICES, UNCOUNTED, concerns, usage
from kubus.model.resource_totals import Amounts, add, amounts, shown

ANNOTATION = "kubus.io/counted"
PATIENCE = timedelta(seconds=10)
"""Longer than any write takes at the apiserver."""
RECOUNT = timedelta(seconds=60)
LOOK_AGAIN = timedelta(seconds=5)
"""Where a quota counts what nobody knows yet: a definition may come."""
_OF_CLAIMS = ("requests.storage", "persistentvolumeclaims")


def reconcile(kinds: Mapping[str, Kind], quota: Object, view: View, now: datetime) -> Plan:
    """Bring `status` in line with `spec` and with what is there."""
    spec, status = quota.get("spec") or {}, quota.get("status") or {}
    hard = spec.get("hard") or {}
    custom = {kind.collection: kind for kind in view.custom_kinds()}
    counted = _counted({**kinds, **custom}, quota, view, now)
    used = status.get("used") or {}
    again = RECOUNT if all(name in counted for name in hard) else LOOK_AGAIN
    if status.get("hard") != hard or set(used) != set(counted):
        kept = {name: used.get(name, text) for name, text in counted.items()}
        return Plan((SetStatus(QUOTAS, {**quota, "status": {"hard": hard, "used": kept}}),), again)
    noted = annotations_of(quota).get(ANNOTATION)
    if amounts(used) == amounts(counted):
        return Plan((_note(quota, None),) if noted is not None else (), again)
    text = ",".join(f"{name}={amount}" for name, amount in sorted(counted.items()))
    if noted != text:
        return Plan((_note(quota, text),), PATIENCE)
    quiet = view.quiet_for(QUOTAS, namespace_of(quota), name_of(quota))
    if quiet is None or quiet < PATIENCE:
        return Plan((), PATIENCE - (quiet or timedelta()))
    return Plan((SetStatus(QUOTAS, {**quota, "status": {**status, "used": counted}}),), RECOUNT)


def _note(quota: Object, text: str | None) -> Patch:
    patch = {"metadata": {"annotations": {ANNOTATION: text}}}
    return Patch(QUOTAS, namespace_of(quota), name_of(quota), patch)


def _counted(kinds: Mapping[str, Kind], quota: Object, view: View, now: datetime) -> dict[str, str]:
    """What is used of each limit that can be counted, as quantities."""
    spec, namespace = quota.get("spec") or {}, namespace_of(quota)
    by_collection: dict[str, list[str]] = {}
    for name in spec.get("hard") or {}:
        collection = _collection(name)
        if collection in kinds and collection not in UNCOUNTED:
            by_collection.setdefault(collection, []).append(name)
    found: dict[str, str] = {}
    for collection, names in by_collection.items():
        total: Amounts = {}
        for obj in view.list(kinds[collection], namespace):
            if concerns(spec, collection, obj):
                add(total, usage(collection, obj, now))
        found |= {name: shown(name, total.get(name, Fraction(0))) for name in names}
    return found


def _collection(name: str) -> str:
    """Where the objects are that a limit is about."""
    if name.startswith("count/"):
        plural, _, group = name.removeprefix("count/").partition(".")
        return f"{plural}.{group or 'core'}"
    if name.endswith(DEVICE_CLASS):
        return DEVICE_CLAIMS
    if name in _OF_CLAIMS or ".storageclass.storage.k8s.io/" in name:
        return CLAIMS
    if name == "services" or name.startswith("services."):
        return SERVICES
    if name in ("configmaps", "replicationcontrollers", "resourcequotas", "secrets"):
        return f"{name}.core"
    known = ("pods", "cpu", "memory", "ephemeral-storage")
    return PODS if name in known or name.startswith(("requests.", "limits.", "hugepages-")) else ""


def controller(kinds: Sequence[Kind]) -> Controller:
    """The controller, for all kinds that can be counted."""
    namespaced = {kind.collection: kind for kind in kinds if kind.namespaced}
    return Controller(
        name="resourcequota-controller",
        reconciles=QUOTAS,
        reconcile=partial(reconcile, namespaced),
        reads=tuple(kind for kind in namespaced.values() if kind is not QUOTAS),
    )
