"""Strays: what is in a namespace that does not exist.

A creation that was admitted while its namespace still lived may be written after the namespace has been found empty
and has gone: the two are different keys of the store, and different processes. And a namespace is found empty by
caches, which may have missed something. Whatever is left so is collected here, after a live look at the namespace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from kubus.machinery.plans import CONVERGED, CollectGarbage, Controller, Plan, View, Watch
from kubus.model.kinds import Kind
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.objects import Key, Object, is_deleting, name_of, namespace_of, uid_of


def reconcile(kinds: Mapping[tuple[str, str], Kind], obj: Object, view: View, now: datetime) -> Plan:
    """The deletion of an object whose namespace is gone."""
    kind = kinds.get((obj.get("apiVersion", ""), obj.get("kind", "")))
    if kind is None or is_deleting(obj) or not _is_stray(obj, view):
        return CONVERGED
    namespace = ((NAMESPACES, "", namespace_of(obj), ""),)
    return Plan((CollectGarbage(kind, namespace_of(obj), name_of(obj), uid_of(obj), namespace),))


def _is_stray(obj: Object, view: View) -> bool:
    return bool(namespace_of(obj)) and view.get(NAMESPACES, "", namespace_of(obj)) is None


def _itself(kind: Kind, obj: Object, view: View) -> list[Key]:
    return [Key(kind.collection, namespace_of(obj), name_of(obj))] if _is_stray(obj, view) else []


def _content(kinds: Sequence[Kind], namespace: Object, view: View) -> list[Key]:
    """What is left in a namespace that has just gone."""
    name = name_of(namespace)
    if view.get(NAMESPACES, "", name) is not None:
        return []
    return [Key(kind.collection, name, name_of(obj)) for kind in kinds for obj in view.list(kind, name)]


def controller(kinds: Sequence[Kind]) -> Controller:
    """The controller over all namespaced kinds; its keys are of any collection."""
    namespaced = tuple(kind for kind in kinds if kind.namespaced and not kind.stored_as)
    by_name = {(kind.api_version, kind.name): kind for kind in namespaced}
    return Controller(
        name="stray-collector",
        reconciles=NAMESPACES,
        reconcile=partial(reconcile, by_name),
        watches=(
            Watch(NAMESPACES, partial(_content, namespaced)),
            *(Watch(kind, partial(_itself, kind)) for kind in namespaced),
        ),
    )
