"""What a pod needs of a node: resources and host ports, as plain integers.

Containers run side by side, so their requests add up. An init container runs before them, together with the
sidecars (restartable init containers) started before it: the pod needs the larger of the two sums, plus its
overhead. CPU counts in thousandths, everything else in whole units.

The *scored* amounts are what spreading reckons with: a container that asks for nothing still counts as 100m and
200 MB there, or nodes would fill up with such pods without limit.

Follows https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kubus.model.quantities import milli, units

CPU_SCORED_MILLI = 100
MEMORY_SCORED_BYTES = 200 * 1024 * 1024

Amounts = dict[str, int]


class Needs(NamedTuple):
    """A pod's requests."""

    cpu_milli: int
    memory_bytes: int
    ephemeral_bytes: int
    extended: tuple[tuple[str, int], ...]
    """Every other resource, by name; none of them zero."""
    scored_cpu_milli: int
    scored_memory_bytes: int


class HostPort(NamedTuple):
    """A port of the node that a container takes."""

    protocol: str
    address: str
    port: int

    def conflicts(self, other: HostPort) -> bool:
        """Whether the two cannot be taken on one node: an unspecified address takes them all."""
        if self.port != other.port or self.protocol != other.protocol:
            return False
        return self.address == other.address or ANY_ADDRESS in (self.address, other.address)


ANY_ADDRESS = "0.0.0.0"


def amount(resource: str, quantity: Any) -> int:
    """A quantity as an integer: thousandths of a CPU, units of everything else."""
    return milli(quantity) if resource == "cpu" else units(quantity)


def needs_of(spec: dict[str, Any]) -> Needs:
    """What a pod's spec asks for."""
    asked = _total(spec, {})
    scored = _total(spec, {"cpu": CPU_SCORED_MILLI, "memory": MEMORY_SCORED_BYTES})
    plain = ("cpu", "memory", "ephemeral-storage")
    return Needs(
        cpu_milli=asked.get("cpu", 0),
        memory_bytes=asked.get("memory", 0),
        ephemeral_bytes=asked.get("ephemeral-storage", 0),
        extended=tuple(sorted((name, count) for name, count in asked.items() if name not in plain and count)),
        scored_cpu_milli=scored.get("cpu", 0),
        scored_memory_bytes=scored.get("memory", 0),
    )


def _total(spec: dict[str, Any], unsaid: Amounts) -> Amounts:
    running: Amounts = {}
    for container in spec.get("containers") or ():
        _add(running, _requests(container, unsaid))
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("initContainers") or ():
        requests = _requests(container, unsaid)
        if container.get("restartPolicy") == "Always":
            _add(sidecars, requests)
            requests = {}
        together = dict(sidecars)
        _add(together, requests)
        _raise(starting, together)
    _add(running, sidecars)
    _raise(running, starting)
    whole_pod = (spec.get("resources") or {}).get("requests") or {}
    running.update({name: amount(name, quantity) for name, quantity in whole_pod.items()})
    _add(running, {name: amount(name, quantity) for name, quantity in (spec.get("overhead") or {}).items()})
    return running


def _requests(container: dict[str, Any], unsaid: Amounts) -> Amounts:
    requests = (container.get("resources") or {}).get("requests") or {}
    return {**unsaid, **{name: amount(name, quantity) for name, quantity in requests.items()}}


def _add(total: Amounts, more: Amounts) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


def _raise(total: Amounts, floor: Amounts) -> None:
    for name, count in floor.items():
        total[name] = max(total.get(name, 0), count)


def ports_of(spec: dict[str, Any]) -> tuple[HostPort, ...]:
    """The host ports that a pod's containers and sidecars take."""
    return tuple(
        HostPort(port.get("protocol") or "TCP", port.get("hostIP") or ANY_ADDRESS, int(port["hostPort"]))
        for container in _long_running(spec)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


def _long_running(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from spec.get("containers") or ()
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            yield container
