"""Field management at the apiserver: which view of objects a request has, and what it leaves in managedFields.

The rules are pure and stand in `kubus.model.managedfields`; here they meet kinds, requests and the clock. Objects are
tracked after defaults and before admission, as in Kubernetes: what admission adds is nobody's. An object without any
managers (somebody has reset them) is not tracked again until somebody applies to it.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from typing import Any

from kubus.model.errors import StatusError, bad_request, conflict
from kubus.model.kinds import Custom, Kind, Registry
from kubus.model.managedfields.checking import config_errors
from kubus.model.managedfields.comparing import created
from kubus.model.managedfields.fieldsets import LEAF, Node
from kubus.model.managedfields.last_applied import applied_by
from kubus.model.managedfields.managers import (
    APPLY,
    UPDATE,
    EntryError,
    Managed,
    Managers,
    identity,
    is_reset,
    read_managers,
    same_but_for_times,
    stored_managers,
    written,
)
from kubus.model.managedfields.refusals import conflict_status
from kubus.model.managedfields.schema_types import SchemaTypes
from kubus.model.managedfields.structural_types import custom_resource_type
from kubus.model.managedfields.types import ItemError, Type
from kubus.model.managedfields.updating import By, Conflicts, Version, View, skipped_fields, updated
from kubus.model.objects import Object
from kubus.model.schema import Schemas
from kubus.model.times import Clock, rfc3339
from kubus_apiserver.calls import WriteOptions
from kubus_apiserver.writing.bodies import fitted

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_STATUS: Node = {"f:status": LEAF}
_ALL_BUT_STATUS: Node = {"f:spec": LEAF}
_ALL_OF_A_CUSTOM_RESOURCE: Node = {"f:metadata": LEAF, "f:spec": LEAF}
_STATUS_RESETS: dict[str, Node] = {
    "deployments.apps": {"f:spec": LEAF, "f:metadata": {"f:labels": LEAF}},
    "pods.core": {"f:spec": LEAF, "f:metadata": {"f:deletionTimestamp": LEAF, "f:ownerReferences": LEAF}},
}
"""What a write of the status leaves alone besides the spec."""
_UNTRACKED = frozenset({"binding"})
"""The scheduler's bindings are nobody's fields."""
_UNTIMED = frozenset({"scale"})
"""Entries of the scale subresource carry no time in Kubernetes."""


class FieldManagers:
    """Knows the type of every kind, and tracks what requests do."""

    def __init__(self, schemas: Schemas, registry: Registry, clock: Clock) -> None:
        self._schemas = schemas
        self._registry = registry
        self._clock = clock
        self._types = SchemaTypes(schemas)
        self._views: dict[tuple[str, str, str, str], tuple[Custom | None, View]] = {}

    def type_of(self, kind: Kind) -> Type:
        """How objects of a kind are merged; without a schema their fields are told by what they hold."""
        if kind.custom is None and kind.schema in self._types:
            return self._types[kind.schema]
        structure = kind.custom.schema if kind.custom is not None else None
        return custom_resource_type(structure, self._types[_OBJECT_META])

    def created(self, kind: Kind, obj: Object, manager: str) -> None:
        """Say in a new object who has made it."""
        view, by = self._view(kind, ""), self._by(kind, UPDATE, manager, "")
        try:
            fields = created(view.type, obj, view.skipped)
        except ItemError:
            return  # what cannot be told apart will not be valid either
        set_entries(obj, written({by.manager: Managed(view.api_version, fields, by.now)}) if fields else None)

    def updated(self, kind: Kind, obj: Object, old: Object, given: Any, *, subresource: str, manager: str) -> None:
        """Say in an updated object who has which fields now; `given` is what the client sent as managedFields."""
        before = old["metadata"].get("managedFields")
        if subresource in _UNTRACKED:
            set_entries(obj, before)
            return
        managers = None if subresource or given is None or given == before else _given(given)
        if managers is None:
            managers = stored_managers(before)
        if not managers:
            set_entries(obj, None)
            return
        view, by = self._view(kind, subresource), self._by(kind, UPDATE, manager, subresource)
        try:
            after = updated(view, old, obj, managers, by)
        except ItemError:
            after = managers
        set_entries(obj, before if after is managers and not _differ(given, before) else written(after))

    def applier(self, kind: Kind, config: Any, subresource: str, options: WriteOptions) -> Applier:
        """The change that an apply means.

        Raises:
            StatusError: 400, the configuration is none for this kind.
        """
        view, by = self._view(kind, subresource), self._by(kind, APPLY, options.manager, subresource)
        return Applier(kind, config, view, by, schemas=self._schemas, force=options.force)

    def _by(self, kind: Kind, operation: str, manager: str, subresource: str) -> By:
        now = "" if subresource in _UNTIMED else rfc3339(self._clock.now())
        return By(identity(manager, operation, kind.api_version, subresource), now)

    def _view(self, kind: Kind, subresource: str) -> View:
        """The view of a kind; made anew when its definition has changed."""
        key = (kind.group, kind.version, kind.plural, subresource)
        found = self._views.get(key)
        if found is None or found[0] is not kind.custom:
            found = self._views[key] = (kind.custom, self._made_view(kind, subresource))
        return found[1]

    def _made_view(self, kind: Kind, subresource: str) -> View:
        def other(api_version: str) -> Version | None:
            return self._version(kind, api_version)

        ignored = _ignored(kind, subresource)
        return View(self.type_of(kind), kind.api_version, ignored, skipped_fields(ignored), other)

    def _version(self, kind: Kind, api_version: str) -> Version | None:
        group, _, version = api_version.rpartition("/")
        found = self._registry.named(group, version, kind.name)
        if found is None or found.collection != kind.collection:
            return None
        if found.version != kind.version and found.custom is not None and found.custom.webhook is not None:
            return None  # to ask a webhook for every comparison would be too slow; such a manager starts anew
        return Version(
            self._view(found, "").type, lambda obj: _turned(obj, kind, found), lambda obj: _turned(obj, found, kind)
        )


class Applier:
    """One apply as a change: from the stored object to the applied one, with its managedFields."""

    def __init__(self, kind: Kind, config: Any, view: View, by: By, *, schemas: Schemas, force: bool) -> None:
        _check(kind, config, view)
        self._kind = kind
        self._config: Object = config
        self._view = view
        self._by = by
        self._schemas = schemas
        self._force = force

    def __call__(self, old: Object) -> Object:
        """The stored object with the configuration applied.

        Raises:
            StatusError: 400, 409.
        """
        wanted = (self._config.get("metadata") or {}).get("resourceVersion")
        if wanted and wanted != old["metadata"].get("resourceVersion"):
            raise conflict(self._kind.plural, self._kind.group, old["metadata"]["name"])
        metadata = {key: value for key, value in old["metadata"].items() if key != "managedFields"}
        return self._applied({**old, "metadata": metadata}, stored_managers(old["metadata"].get("managedFields")))

    def new(self) -> Object:
        """The object that an apply creates.

        Raises:
            StatusError: 400.
        """
        obj = self._applied({}, {})
        obj["metadata"].pop("resourceVersion", None)
        return obj

    @property
    def uid(self) -> str:
        """The UID that the object is expected to have, or ""."""
        uid = (self._config.get("metadata") or {}).get("uid")
        return uid if isinstance(uid, str) else ""

    def _applied(self, live: Object, managers: Managers) -> Object:
        try:
            result = applied_by(self._view, live, self._config, managers, self._by, force=self._force)
        except Conflicts as refused:
            raise conflict_status(refused.conflicts) from None
        except ItemError as error:
            raise bad_request(f"failed to merge config: {error}") from None
        obj = dict(live if result.object is None else result.object)
        obj, _ = fitted(self._kind, obj, self._schemas, "Ignore")
        obj["metadata"] = dict(obj.get("metadata") or {})
        set_entries(obj, written(result.managers))
        return obj


def _check(kind: Kind, config: Any, view: View) -> None:
    if not isinstance(config, dict):
        raise bad_request("error decoding YAML: the configuration has to be an object")
    api_version, name = config.get("apiVersion") or "", config.get("kind") or ""
    if (api_version, name) != (kind.api_version, kind.name):
        said = api_version if "/" in str(api_version) else f"/{api_version}"
        raise bad_request(f"invalid object type: {said}, Kind={name}")
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    if errors := config_errors(view.type, config):
        raise _unfit(kind, config, errors)


def _unfit(kind: Kind, config: Object, errors: list[str]) -> StatusError:
    metadata = config.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    group = kind.api_version if kind.group else f"/{kind.api_version}"
    about = f"{named.get('namespace') or ''}/{named.get('name') or ''}; {group}, Kind={kind.name}"
    said = errors[0] if len(errors) == 1 else "\n".join(["errors:", *(f"  {error}" for error in errors)])
    return bad_request(f"failed to create typed patch object ({about}): {said}")


def _ignored(kind: Kind, subresource: str) -> Node:
    if subresource == "status":
        if kind.custom is not None:
            return _ALL_OF_A_CUSTOM_RESOURCE
        return _STATUS_RESETS.get(kind.collection, _ALL_BUT_STATUS)
    return _STATUS if kind.status and subresource in ("", "scale") else LEAF


def _given(entries: Any) -> Managers | None:
    """The managers that a client has put into its object; None: it has not, or nobody can read them."""
    if is_reset(entries):
        return {}
    try:
        return read_managers(entries) or None
    except EntryError:
        return None


def _differ(given: Any, before: Any) -> bool:
    return given is not None and given != before


def set_entries(obj: Object, entries: Any) -> None:
    """Give an object its managedFields; none at all if there are no entries."""
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def keep_times(obj: Object, old: Object) -> None:
    """Give an updated object the old entries back where they differ in nothing but their times."""
    before, after = old["metadata"].get("managedFields"), obj["metadata"].get("managedFields")
    if before is not after and before and after and same_but_for_times(before, after):
        obj["metadata"]["managedFields"] = before


def _turned(obj: Object, from_kind: Kind, to_kind: Kind) -> Object:
    stored = obj if from_kind.to_stored is None else from_kind.to_stored(obj)
    return stored if to_kind.from_stored is None else to_kind.from_stored(stored)
