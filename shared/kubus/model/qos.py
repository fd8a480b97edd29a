"""A pod's class of service: Guaranteed, Burstable or BestEffort, from its requests and limits."""

from __future__ import annotations

from kubus.model.objects import Object
from kubus.model.quantities import milli

RESOURCES = ("cpu", "memory")


def qos_class(pod: Object) -> str:
    """Guaranteed if every container has limits for cpu and memory equal to its requests; BestEffort if none asks."""
    spec = pod.get("spec") or {}
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    guaranteed, asked = bool(containers), False
    for container in containers:
        resources = container.get("resources") or {}
        requests, limits = _amounts(resources.get("requests")), _amounts(resources.get("limits"))
        asked = asked or bool(requests or limits)
        effective = {**limits, **requests}
        guaranteed = guaranteed and set(limits) == set(RESOURCES) and effective == limits
    if not asked:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _amounts(quantities: dict[str, str] | None) -> dict[str, int]:
    found = {}
    for name in RESOURCES:
        try:
            amount = milli((quantities or {}).get(name, "0"))
        except ValueError:
            continue  # validation says so; the class of a pod that is refused does not matter
        if amount:
            found[name] = amount
    return found
