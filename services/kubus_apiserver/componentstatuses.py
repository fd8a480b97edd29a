"""`kubectl get componentstatuses`: whether the store, the scheduler and the controllers are there.

Deprecated in Kubernetes, and still asked for. Nothing is stored: etcd is healthy if it answers now, a leader if its
lease has been renewed lately.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kubus.model.codec import DecodeError, Raw, pack
from kubus.model.errors import StatusError, not_found
from kubus.model.objects import Key, Object, path_of
from kubus.model.times import parse_time
from kubus_apiserver.calls import ReadOptions, Target
from kubus_apiserver.core import Core
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.reads import Listed
from kubus_apiserver.reading.selection import selection

COLLECTION = "componentstatuses.core"
_LEASES = {"controller-manager": "kube-controller-manager", "scheduler": "kube-scheduler"}


async def component_status(core: Core, target: Target) -> Entry:
    """One component.

    Raises:
        StatusError: 404.
    """
    for entry in await _components(core):
        if entry.name == target.name:
            return entry
    raise not_found(target.kind.plural, "", target.name)


async def component_statuses(core: Core, target: Target, options: ReadOptions) -> Listed:
    """All components that are selected."""
    chosen = selection(target.kind, options)
    return Listed([each for each in await _components(core) if chosen.matches(each.object)], core.cache.revision)


async def _components(core: Core) -> list[Entry]:
    try:
        await core.freshness.consistent()
        store = ""
    except StatusError as error:
        store = error.message
    found = {name: _leader(core, lease, core.clock.now()) for name, lease in _LEASES.items()}
    return [_entry(name, wrong) for name, wrong in sorted({**found, "etcd-0": store}.items())]


def _leader(core: Core, name: str, now: datetime) -> str:
    """What is wrong with a leader; "" if nothing is."""
    entry = core.cache.get(Key("leases.coordination.k8s.io", "kube-system", name))
    if entry is None:
        return "no lease was ever taken"
    try:
        spec = path_of(entry.object, "spec", default={})
        renewed = parse_time(spec.get("renewTime") or "")
    except (DecodeError, ValueError):
        return "the lease cannot be read"
    late = now - renewed - timedelta(seconds=float(spec.get("leaseDurationSeconds") or 0))
    return f"the lease ran out at {spec['renewTime']}" if late > timedelta() else ""


def _entry(name: str, wrong: str) -> Entry:
    condition: Object = {"type": "Healthy", "status": "False" if wrong else "True", "message": wrong or "ok"}
    if wrong:
        condition["error"] = wrong
    obj: Object = {
        "apiVersion": "v1",
        "kind": "ComponentStatus",
        "metadata": {"name": name, "creationTimestamp": None},
        "conditions": [condition],
    }
    return Entry("", name, 0, Raw(pack(obj)), obj)
