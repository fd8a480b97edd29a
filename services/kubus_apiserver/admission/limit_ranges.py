"""LimitRanger: what containers, pods and claims of a namespace may ask for, and ask for if they say nothing.

https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from kubus.model.objects import Object, is_deleting
from kubus.model.quantities import canonical, parse_quantity
from kubus.model.resource_totals import LIMITS, REQUESTS, Amounts, amounts, pod_totals, shown
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.namespaced import Namespaced
from kubus_apiserver.reading.watchcache import WatchCache

COLLECTION = "limitranges.core"
PODS, CLAIMS = "pods.core", "persistentvolumeclaims.core"
_ANNOTATION = "kubernetes.io/limit-ranger"
_Item = dict[str, Any]


class LimitRanges:
    """The plug-in: `mutate` sets defaults, `validate` checks bounds."""

    def __init__(self) -> None:
        self._items: Namespaced[list[_Item]] = Namespaced(
            COLLECTION, lambda entry: list((entry.object.get("spec") or {}).get("limits") or ())
        )

    def mutate(self, proposal: Proposal, cache: WatchCache) -> None:
        """Give the containers of a new pod what their namespace's defaults are."""
        if not proposal.is_new(PODS):
            return
        for items in self._items.of(cache, proposal.namespace):
            for item in items:
                if item.get("type") == "Container":
                    set_defaults(proposal.object, item.get("defaultRequest") or {}, item.get("default") or {})

    def validate(self, proposal: Proposal, cache: WatchCache) -> None:
        """Refuse a pod or a claim that asks for too much or too little.

        Raises:
            StatusError: 403 with everything that is wrong.
        """
        collection = proposal.kind.collection
        if not _asks(proposal):
            return
        wrong: list[str] = []
        for items in self._items.of(cache, proposal.namespace):
            for item in items:
                wrong += violations(item, proposal.object, collection)
        if wrong:
            unique = list(dict.fromkeys(wrong))
            raise proposal.refused(unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]")


def _asks(proposal: Proposal) -> bool:
    """Whether an object asks for resources, or for others than before: of pods only new and resized ones do."""
    collection, old = proposal.kind.collection, proposal.old
    if proposal.verb not in ("create", "update") or collection not in (PODS, CLAIMS):
        return False
    if old is not None and is_deleting(old):
        return False
    if collection == PODS and proposal.verb == "update":
        return proposal.subresource == "resize"
    return not proposal.subresource


def set_defaults(pod: Object, requests: dict[str, Any], limits: dict[str, Any]) -> None:
    """Set what containers do not say, and write into an annotation what was set."""
    spec = pod.get("spec") or {}
    told: list[str] = []
    for field, word in (("containers", "container"), ("initContainers", "init container")):
        for container in spec.get(field) or ():
            resources = container.get("resources") or {}
            for key, defaults in (("requests", requests), ("limits", limits)):
                present = resources.get(key) or {}
                missing = sorted(name for name in defaults if name not in present)
                if missing:
                    resources[key] = {**present, **{name: defaults[name] for name in missing}}
                    container["resources"] = resources
                    told.append(f"{', '.join(missing)} {key[:-1]} for {word} {container.get('name')}")
    if told:
        metadata = pod["metadata"]
        text = f"LimitRanger plugin set: {'; '.join(told)}"
        metadata["annotations"] = {**(metadata.get("annotations") or {}), _ANNOTATION: text}


def violations(item: _Item, obj: Object, collection: str) -> Iterator[str]:
    """What an object does that an item of a limit range does not allow, in Kubernetes' words."""
    kind, spec = item.get("type"), obj.get("spec") or {}
    if collection == CLAIMS:
        if kind == "PersistentVolumeClaim":
            yield from _claim(item, amounts((spec.get("resources") or {}).get("requests")))
    elif kind == "Container":
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            resources = container.get("resources") or {}
            yield from _bounds(item, amounts(resources.get("requests")), amounts(resources.get("limits")))
    elif kind == "Pod":
        yield from _bounds(item, pod_totals(spec, REQUESTS), pod_totals(spec, LIMITS))


def _bounds(item: _Item, requests: Amounts, limits: Amounts) -> Iterator[str]:
    kind = item["type"]
    for name, bound, text in _each(item.get("min")):
        start = f"minimum {name} usage per {kind} is {text}"
        if name not in requests:
            yield f"{start}.  No request is specified"
        elif requests[name] < bound:
            yield f"{start}, but request is {shown(name, requests[name])}"
        elif limits.get(name, bound) < bound:
            yield f"{start}, but limit is {shown(name, limits[name])}"
    for name, bound, text in _each(item.get("max")):
        start = f"maximum {name} usage per {kind} is {text}"
        if name not in limits:
            yield f"{start}.  No limit is specified"
        elif limits[name] > bound:
            yield f"{start}, but limit is {shown(name, limits[name])}"
        elif requests.get(name, bound) > bound:
            yield f"{start}, but request is {shown(name, requests[name])}"
    for name, bound, text in _each(item.get("maxLimitRequestRatio")):
        start = f"{name} max limit to request ratio per {kind} is {text}"
        if not requests.get(name):
            yield f"{start}, but no request is specified or request is 0"
        elif not limits.get(name):
            yield f"{start}, but no limit is specified or limit is 0"
        elif limits[name] / requests[name] > bound:
            yield f"{start}, but provided ratio is {float(limits[name] / requests[name]):f}"


def _claim(item: _Item, requests: Amounts) -> Iterator[str]:
    for key, word in (("min", "minimum"), ("max", "maximum")):
        for name, bound, text in _each(item.get(key)):
            start = f"{word} {name} usage per PersistentVolumeClaim is {text}"
            if name not in requests:
                yield f"{start}.  No request is specified"
            elif (requests[name] < bound) if key == "min" else (requests[name] > bound):
                yield f"{start}, but request is {shown(name, requests[name])}"


def _each(quantities: dict[str, Any] | None) -> Iterable[tuple[str, Fraction, str]]:
    for name, text in sorted((quantities or {}).items()):
        yield name, parse_quantity(text), canonical(text)
