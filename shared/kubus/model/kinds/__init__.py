"""Kinds: what an API resource is, as data; and the registry of all that are served.

Everything about a resource is derived from its `Kind` and its schema: routes, discovery, OpenAPI, tables,
defaulting, validation, subjects, store keys and the client. A built-in kind is one small file beside this one
that ends in `KIND = Kind(...)`; the apiserver's code names only those to which Kubernetes gives rules of their own.

The functions a kind carries are pure. `defaults` and `prepare` change the object they are given: the apiserver
calls them on an object it has just decoded and nobody else holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from kubus.model.errors import FieldError
from kubus.model.objects import Object

Defaults = Callable[[Object], None]
"""Sets what Kubernetes sets where the client said nothing. In place, idempotent."""
Rule = Callable[[Object, Object | None], list[FieldError]]
"""What is wrong with a new object, given the old one (None on create) for immutable fields."""
Prepare = Callable[[Object, Object | None], None]
"""The kind's strategy before a write (in place): what a client may not set is put back or dropped."""
Cell = Callable[[Object, datetime], Any]
"""A table cell: string, number or boolean."""

STANDARD_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`."""

    name: str
    cell: Cell
    type: str = "string"
    """string, integer, number, boolean or date."""
    priority: int = 0
    """0 is always shown, 1 with `-o wide`."""
    format: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a kind keeps what its `scale` subresource shows; paths without the leading dot."""

    replicas: tuple[str, ...] = ("spec", "replicas")
    status_replicas: tuple[str, ...] = ("status", "replicas")
    selector: tuple[str, ...] = ("spec", "selector")


class Custom(Protocol):
    """What the kind of a custom resource has beyond others; see `kubus.model.custom`."""

    @property
    def schema(self) -> Object:
        """The `openAPIV3Schema` of the version."""

    @property
    def storage_version(self) -> str:
        """The version that is stored."""

    @property
    def webhook(self) -> Object | None:
        """`spec.conversion.webhook`, where that converts between versions."""

    @property
    def terminating(self) -> bool:
        """Whether the definition is being deleted: nothing new is created."""

    def pruned(self, obj: Object) -> tuple[Object, list[str]]:
        """The object without fields that its schema does not name, and their paths."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One version of one resource."""

    group: str
    """"" for the core group."""
    version: str
    name: str
    """The kind as objects name it: `Deployment`."""
    plural: str
    """The resource as paths name it: `deployments`."""
    namespaced: bool
    schema: str
    """The schema's definition name: `io.k8s.api.apps.v1.Deployment`."""
    singular_name: str = ""
    """Where it is not the name in lower case."""
    list_kind: str = ""
    """Where a list is of another kind than the name and `List`."""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    """Whether status is a subresource: then create and update leave it alone."""
    scale: Scale | None = None
    subresources: tuple[str, ...] = ()
    """Further subresources, served by code of their own: `log`, `exec`, `binding`, `eviction`."""
    verbs: tuple[str, ...] = STANDARD_VERBS
    defaults: Defaults | None = None
    rules: tuple[Rule, ...] = ()
    status_rules: tuple[Rule, ...] = ()
    """What is asked of writes of the status too, which the other rules do not see."""
    prepare: Prepare | None = None
    columns: tuple[Column, ...] = ()
    """Empty: Name and Age."""
    fields: Mapping[str, Callable[[Object], str]] = field(default_factory=dict)
    """Field selectors beside metadata.name and metadata.namespace."""
    generation: bool = False
    """Whether metadata.generation counts the changes of spec."""
    grace: bool = False
    """Whether deletion is graceful (pods)."""
    ttl_seconds: int = 0
    """How long an object lives after it was last written; 0: for ever."""
    orphans: bool = False
    """Whether a delete that names no policy leaves the dependents, as it was before there was garbage collection."""
    orphans_warning: str = ""
    """Warning sent with such a delete."""
    create_on_update: bool = False
    """Whether an update of what is not there creates it."""
    stored_as: str = ""
    """Another kind's collection, where two versions or groups are views of one store."""
    to_stored: Callable[[Object], Object] | None = None
    from_stored: Callable[[Object], Object] | None = None
    name_check: str = "subdomain"
    """subdomain, label (RFC 1123), service (RFC 1035) or path_segment (RBAC): which names are valid."""
    deprecation: str = ""
    """What everybody is warned of who uses it."""
    custom: Custom | None = None
    """Of a kind that a CustomResourceDefinition brought."""

    collection: str = field(init=False, repr=False, compare=False)
    """`deployments.apps`, `pods.core`: in store keys, subjects and keys of caches."""

    def __post_init__(self) -> None:
        """Name the collection, which is asked for twenty times a request."""
        object.__setattr__(self, "collection", self.stored_as or f"{self.plural}.{self.group or 'core'}")

    @property
    def api_version(self) -> str:
        """`apps/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`deployments.apps`, `pods`: as messages and kubectl name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def singular(self) -> str:
        """`deployment`."""
        return self.singular_name or self.name.lower()

    @property
    def list_name(self) -> str:
        """The kind of a list: `DeploymentList`."""
        return self.list_kind or f"{self.name}List"

    @property
    def path(self) -> str:
        """`/apis/apps/v1`, `/api/v1`."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


class Registry:
    """The kinds that are served. Custom resources add some while it runs: `generation` counts the changes."""

    def __init__(self, kinds: Iterator[Kind] | tuple[Kind, ...] = ()) -> None:
        self._by_resource: dict[tuple[str, str, str], Kind] = {}
        self._by_kind: dict[tuple[str, str, str], Kind] = {}
        self._by_collection: dict[str, Kind] = {}
        self._first: dict[tuple[str, str], Kind] = {}
        self.generation = 0
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        """Serve a kind, or replace the one of the same group, version and plural."""
        self._by_resource[kind.group, kind.version, kind.plural] = kind
        self._by_kind[kind.group, kind.version, kind.name] = kind
        if not kind.stored_as:
            self._by_collection[kind.collection] = kind
        self._first.clear()
        self.generation += 1

    def remove(self, kind: Kind) -> None:
        """Serve a kind no longer."""
        self._by_resource.pop((kind.group, kind.version, kind.plural), None)
        self._by_kind.pop((kind.group, kind.version, kind.name), None)
        if self._by_collection.get(kind.collection) is kind:
            del self._by_collection[kind.collection]
        self._first.clear()
        self.generation += 1

    def __getitem__(self, collection: str) -> Kind:
        """The kind that is stored as a collection (`deployments.apps`); KeyError if there is none."""
        return self._by_collection[collection]

    def __contains__(self, collection: str) -> bool:
        return collection in self._by_collection

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self._by_resource.values()))

    def resource(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind that a path names."""
        return self._by_resource.get((group, version, plural))

    def first(self, group: str, plural: str) -> Kind | None:
        """The kind of a resource in the first version that is served."""
        found = self._first.get((group, plural))
        if found is None:
            found = next((each for each in self if each.plural == plural and each.group == group), None)
            if found is not None:
                self._first[group, plural] = found
        return found

    def named(self, group: str, version: str, name: str) -> Kind | None:
        """The kind that an object's apiVersion and kind name."""
        return self._by_kind.get((group, version, name))


def of(kind: Kind, **changes: Any) -> Kind:
    """The kind with some fields changed."""
    return replace(kind, **changes)
