"""The entries of managedFields, one a manager: read, sorted, capped, written.

A manager is told from others by its name, its operation, its subresource and, for updates, the API version: whoever
updates by two versions has two entries, whoever applies has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from kubus.model.codec import to_json
from kubus.model.managedfields.fieldsets import FieldsError, Node, read_fields, union

APPLY, UPDATE = "Apply", "Update"
UPDATERS_MAX = 10
ANCIENT = "ancient-changes"


class Manager(NamedTuple):
    """Who: the identity of an entry."""

    name: str
    operation: str
    api_version: str
    """Of an update; "" of an apply."""
    subresource: str = ""

    @property
    def text(self) -> str:
        """The identity as Kubernetes sorts it."""
        fields = {
            "manager": self.name,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "subresource": self.subresource,
        }
        return to_json({key: value for key, value in fields.items() if value}).decode()

    def __str__(self) -> str:
        """As a conflict names it: `"kubectl" with subresource "scale" using apps/v1`."""
        said = f'"{self.name}"'
        if self.subresource:
            said += f' with subresource "{self.subresource}"'
        return f"{said} using {self.api_version}" if self.operation == UPDATE else said


class Managed(NamedTuple):
    """What a manager has."""

    api_version: str
    """In whose terms the fields are."""
    fields: Node
    time: str = ""


Managers: TypeAlias = Mapping[Manager, Managed]


class EntryError(ValueError):
    """An entry of managedFields that cannot be read."""


def identity(name: str, operation: str, api_version: str, subresource: str = "") -> Manager:
    """The manager of a request."""
    return Manager(name or "unknown", operation, "" if operation == APPLY else api_version, subresource)


def stored_managers(entries: Any) -> Managers:
    """The managers of an object from the store, whose entries we wrote."""
    return {
        Manager(
            each.get("manager") or "",
            each["operation"],
            "" if each["operation"] == APPLY else each["apiVersion"],
            each.get("subresource") or "",
        ): Managed(each["apiVersion"], each.get("fieldsV1") or {}, each.get("time") or "")
        for each in entries or ()
    }


def read_managers(entries: Any) -> Managers:
    """The managers that a client has sent.

    Raises:
        EntryError: in Kubernetes' words.
    """
    if not isinstance(entries, list):
        raise EntryError("managedFields must be a list")
    managers: dict[Manager, Managed] = {}
    for index, each in enumerate(entries):
        manager, managed = _read_entry(index, each)
        managers[manager] = managed
    return managers


def _read_entry(index: int, entry: Any) -> tuple[Manager, Managed]:
    if not isinstance(entry, dict) or entry.get("operation") not in (APPLY, UPDATE):
        raise EntryError("operation must be `Apply` or `Update`")
    texts = {key: entry.get(key) or "" for key in ("manager", "apiVersion", "subresource", "time", "fieldsType")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise EntryError(f"managed fields entry {index} holds no text where it should")
    if not texts["apiVersion"]:
        raise EntryError("apiVersion must not be empty")
    if not texts["fieldsType"]:
        raise EntryError(f"missing fieldsType in managed fields entry {index}")
    if texts["fieldsType"] != "FieldsV1":
        raise EntryError(f'invalid fieldsType "{texts["fieldsType"]}" in managed fields entry {index}')
    try:
        fields = read_fields(entry.get("fieldsV1") or {})
    except FieldsError as error:
        raise EntryError(str(error)) from None
    version = "" if entry["operation"] == APPLY else texts["apiVersion"]
    manager = Manager(texts["manager"], entry["operation"], version, texts["subresource"])
    return manager, Managed(texts["apiVersion"], fields, texts["time"])


def is_reset(entries: Any) -> bool:
    """Whether entries ask to forget all managers: none, or one that is empty."""
    return isinstance(entries, list) and (not entries or (len(entries) == 1 and not any(_values(entries[0]))))


def _values(entry: Any) -> Iterator[Any]:
    return iter(entry.values()) if isinstance(entry, dict) else iter((True,))


def written(managers: Managers) -> list[dict[str, Any]]:
    """The entries of managedFields, in Kubernetes' order."""
    ordered = list(managers.items())
    if len(ordered) > 1:
        ordered.sort(key=_order)
    return [_entry(manager, managed) for manager, managed in ordered]


def _order(item: tuple[Manager, Managed]) -> tuple[str, str, str, str, str]:
    manager, managed = item
    return manager.operation, managed.time, manager.name, managed.api_version, manager.subresource


def _entry(manager: Manager, managed: Managed) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": managed.api_version,
        "time": managed.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": managed.fields,
    }
    if not managed.time:
        del entry["time"]
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def same_but_for_times(one: Any, other: Any) -> bool:
    """Whether two lists of entries differ in nothing but when."""
    if len(one) != len(other):
        return False
    return all({**a, "time": ""} == {**b, "time": ""} for a, b in zip(one, other, strict=True))


def capped(managers: Managers) -> Managers:
    """The managers with the oldest updates thrown together, version by version, if there are too many."""
    updaters = [manager for manager in managers if manager.operation == UPDATE]
    left = len(updaters)
    if left <= UPDATERS_MAX:
        return managers
    updaters.sort(key=lambda each: (managers[each].time, each.text))
    result, first_of = dict(managers), dict[str, Manager]()
    for manager in updaters:
        if left <= UPDATERS_MAX:
            break
        version = result[manager].api_version
        first = first_of.setdefault(version, manager)
        if first is manager:
            continue
        bucket = Manager(ANCIENT, UPDATE, version)
        if bucket not in result:
            result[bucket] = result.pop(first)
        merged = result.pop(first if manager == bucket else manager)
        result[bucket] = Managed(
            version, union(merged.fields, result[bucket].fields), max(merged.time, result[bucket].time)
        )
        left -= 1
    return result
