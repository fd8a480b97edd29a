"""A live object and the configuration that is applied to it, made one.

The configuration wins where both say something; what it does not mention stays. A list by keys or of a set keeps what
only the live object has, and takes the configuration's order for what both have.
"""

from __future__ import annotations

from typing import Any

from kubus.model.managedfields.types import Fields, Items, Type, resolved


def merge(type_: Type, live: Any, config: Any) -> Any:
    """The live value with the configuration applied; shares with both.

    Raises:
        ItemError: an item of a list cannot be told from others.
    """
    actual = resolved(type_, live, config)
    if isinstance(actual, Fields) and (live or config):
        return _merge_fields(actual, live, config)
    if isinstance(actual, Items) and (live or config):
        return _merge_items(actual, live, config)
    return config


def _merge_fields(type_: Fields, live: Any, config: Any) -> Any:
    if type(config) is not dict:
        return live if config is None and type(live) is dict else config
    if type(live) is not dict:
        return config
    result = dict(live)
    for name, value in config.items():
        result[name] = merge(type_.entry(name).type, live[name], value) if name in live else value
    return result


def _merge_items(type_: Items, live: Any, config: Any) -> Any:
    if type(config) is not list:
        return live if config is None and type(live) is list else config
    if type(live) is not list:
        return config
    return _Weave(type_, live, config).woven()


class _Weave:
    """The items of two lists in one order.

    Items that only the live list has keep their place before the next item that both have; what the configuration
    names comes in its order.
    """

    def __init__(self, type_: Items, live: list[Any], config: list[Any]) -> None:
        self._type = type_
        self._live = [(type_.element(item), item) for item in live]
        self._config = [(type_.element(item), item) for item in config]
        self._wanted = {element for element, _ in self._config}
        self._found: dict[str, list[Any]] = {}
        for element, item in self._live:
            self._found.setdefault(element, []).append(item)
        self._shared = [element for element, _ in self._config if element in self._found]
        self._place = 0
        self._result: list[Any] = []

    def woven(self) -> list[Any]:
        shared = 0
        for element, item in self._config:
            due = self._shared[shared] if shared < len(self._shared) else None
            self._take_live(due)
            self._take(element, item)
            if element == due:
                self._place += 1
                shared += 1
        self._take_live(None)
        return self._result

    def _take_live(self, due: str | None) -> None:
        """Take the live list's own items up to the shared one that is due, past shared ones that are not."""
        while self._place < len(self._live):
            element, item = self._live[self._place]
            if element == due:
                return
            if element not in self._wanted:
                self._result.append(item)
            self._place += 1

    def _take(self, element: str, item: Any) -> None:
        before = self._found.get(element, [])
        # Several live items of one element are not merged with, but replaced.
        self._result.append(merge(self._type.item, before[0], item) if len(before) == 1 else item)
