"""Kinds that come and go while a process runs: one informer for each custom resource.

`CustomKinds` follows the CustomResourceDefinitions of its own informer. When a kind is established it is cached from
then on, and whoever asked is told; when its definition is gone it is forgotten, but only a minute later, so that what
belonged to its last objects can still be told whose it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kubus.machinery.informer import Informer, Informers
from kubus.machinery.reflector import Changed
from kubus.model.custom.definitions import is_established, kinds_of
from kubus.model.kinds.customresourcedefinitions import KIND as DEFINITIONS
from kubus.model.objects import name_of

_FORGOTTEN_AFTER_SECONDS = 60.0
Listener = Callable[[Informer], None]


class CustomKinds:
    """The custom kinds of a cluster, each with its informer. Made before the informers run."""

    def __init__(self, informers: Informers) -> None:
        self._informers = informers
        self._listeners: list[Listener] = []
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        informers.of(DEFINITIONS).on_change(self._changed)

    def on_kind(self, listener: Listener) -> Callable[[], None]:
        """Call for each kind that is there, and for each that comes; the result ends it."""
        self._listeners.append(listener)
        for kind in self._informers.view.custom_kinds():
            listener(self._informers.of(kind))
        return lambda: self._listeners.remove(listener)

    @property
    def are_synced(self) -> bool:
        """Whether every kind that is there is cached; one that went quickly may never have been."""
        kinds = (kind for kind in self._informers.view.custom_kinds() if kind.collection not in self._leaving)
        return all(self._informers.of(kind).is_synced for kind in kinds)

    def _changed(self, changed: Changed) -> None:
        name = name_of(changed.object)
        if changed.change == "deleted":
            if name in self._informers.custom:
                loop = asyncio.get_running_loop()
                self._leaving[name] = loop.call_later(_FORGOTTEN_AFTER_SECONDS, self._forget, name)
            return
        if (leaving := self._leaving.pop(name, None)) is not None:
            leaving.cancel()
        if not is_established(changed.object):
            return
        kind = next(iter(kinds_of(changed.object)), None)
        if kind is None:
            return
        is_new = name not in self._informers.custom
        self._informers.add_custom(kind)
        if is_new:
            for listener in tuple(self._listeners):
                listener(self._informers.of(kind))

    def _forget(self, name: str) -> None:
        self._leaving.pop(name, None)
        self._informers.drop_custom(name)
