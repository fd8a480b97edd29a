"""What a pod asks for altogether, exactly: for limits and quotas, which have to add up.

Amounts are fractions of units. A pod's total of a resource is the sum over its containers and sidecars, or what an
init container needs while it runs beside the sidecars started before it, whichever is more; the pod's own
`resources` stand above the sum, and what the runtime itself needs (`overhead`) comes on top.

https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kubus.model.quantities import canonical, from_bytes, parse_quantity

Amounts = dict[str, Fraction]
REQUESTS, LIMITS = "requests", "limits"
_IN_BYTES = ("memory", "storage", "hugepages-")


def amounts(quantities: dict[str, Any] | None) -> Amounts:
    """The amounts of a map of quantities; those that are none are left to validation."""
    found: Amounts = {}
    for name, text in (quantities or {}).items():
        try:
            found[name] = parse_quantity(text)
        except ValueError:
            continue
    return found


def pod_totals(spec: dict[str, Any], field: str) -> Amounts:
    """The total requests or limits of a pod's spec."""
    running: Amounts = {}
    for container in spec.get("containers") or ():
        add(running, _of(container, field))
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = _of(container, field)
        if container.get("restartPolicy") == "Always":
            add(sidecars, own)
            own = {}
        together = dict(sidecars)
        add(together, own)
        _raise(starting, together)
    add(running, sidecars)
    _raise(running, starting)
    running.update(_of(spec, field))
    overhead = amounts(spec.get("overhead"))
    add(running, overhead if field == REQUESTS else {name: each for name, each in overhead.items() if name in running})
    return running


def add(total: Amounts, more: Amounts) -> None:
    """Add to a total, in place."""
    for name, amount in more.items():
        total[name] = total.get(name, Fraction(0)) + amount


def shown(name: str, amount: Fraction) -> str:
    """An amount of a resource as Kubernetes writes it: bytes by powers of two, everything else decimal."""
    if amount.denominator == 1 and any(part in name for part in _IN_BYTES) and amount >= 0:
        return from_bytes(int(amount))
    return canonical(f"{amount.numerator * 10**9 // amount.denominator}n")


def _of(holder: dict[str, Any], field: str) -> Amounts:
    return amounts((holder.get("resources") or {}).get(field))


def _raise(total: Amounts, floor: Amounts) -> None:
    for name, amount in floor.items():
        total[name] = max(total.get(name, Fraction(0)), amount)
