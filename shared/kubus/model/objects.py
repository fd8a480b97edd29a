"""API objects as plain dicts, and the few things everybody asks of them.

An `Object` is the decoded JSON of a Kubernetes API object. Objects that come out of a cache are shared:
treat them as immutable and build changed copies (`with_changes`, dict displays), never edit in place.
`Key` names an object within a cluster; it is hashable, ordered, and its fields are never None: a
cluster-scoped object has the namespace "".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

Object: TypeAlias = dict[str, Any]
"""A decoded API object. From a cache: never edited in place."""


class Key(NamedTuple):
    """Which object: collection (`deployments.apps`, `pods.core`), namespace ("" if none) and name."""

    collection: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.collection}/{self.namespace}/{self.name}" if self.namespace else f"{self.collection}/{self.name}"


def metadata(obj: Object) -> dict[str, Any]:
    """The object's metadata; {} where it has none."""
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def name_of(obj: Object) -> str:
    """metadata.name, or ""."""
    return metadata(obj).get("name") or ""


def namespace_of(obj: Object) -> str:
    """metadata.namespace, or "" for an object of the whole cluster."""
    return metadata(obj).get("namespace") or ""


def uid_of(obj: Object) -> str:
    """metadata.uid, or ""."""
    return metadata(obj).get("uid") or ""


def revision_of(obj: Object) -> int:
    """metadata.resourceVersion as a number; 0 where it has none."""
    return int(metadata(obj).get("resourceVersion") or 0)


def labels_of(obj: Object) -> dict[str, str]:
    """metadata.labels, or {}."""
    return metadata(obj).get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    """metadata.annotations, or {}."""
    return metadata(obj).get("annotations") or {}


def is_deleting(obj: Object) -> bool:
    """Whether the object waits for its finalizers or its grace period to end."""
    return bool(metadata(obj).get("deletionTimestamp"))


def controller_of(obj: Object) -> Mapping[str, Any] | None:
    """The owner reference with `controller: true`, if there is one."""
    references: list[dict[str, Any]] = metadata(obj).get("ownerReferences") or []
    for reference in references:
        if reference.get("controller"):
            return reference
    return None


def path_of(obj: Object, *path: str, default: Any = None) -> Any:
    """The value at a path of keys, or the default as soon as one is missing or null."""
    value: Any = obj
    for step in path:
        if not isinstance(value, dict):
            return default
        value = value.get(step)
        if value is None:
            return default
    return value


def with_revision(obj: Object, revision: int) -> Object:
    """The object with metadata.resourceVersion set, sharing everything else."""
    return {**obj, "metadata": {**metadata(obj), "resourceVersion": str(revision)}}
