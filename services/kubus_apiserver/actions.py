"""What both doors can do to an object: each verb on a kind or a subresource, behind one authorization check.

HTTP and bus differ in how they read a request and write an answer; in between they call these.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from kubus.model.errors import StatusError, forbidden, method_not_allowed, not_found, path_not_found
from kubus.model.kinds import Kind
from kubus.model.kinds.reviews import TOKEN_REQUESTS
from kubus.model.objects import Object, path_of
from kubus_apiserver.access.account_mount import is_account_unknown
from kubus_apiserver.access.authorization import Attributes, chosen_name
from kubus_apiserver.access.certificate_signing import REQUESTS, approved, judged
from kubus_apiserver.access.reviews import Judges, is_review, reviewed
from kubus_apiserver.admission import Proposal, said
from kubus_apiserver.admission.pods import is_class_unknown
from kubus_apiserver.admission.subresources import admitted
from kubus_apiserver.calls import ReadOptions, Target, User, WriteOptions
from kubus_apiserver.componentstatuses import COLLECTION as COMPONENTS
from kubus_apiserver.componentstatuses import component_status, component_statuses
from kubus_apiserver.core import Core
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.reads import Listed
from kubus_apiserver.writing import applying
from kubus_apiserver.writing.applying import AppliedEntry
from kubus_apiserver.writing.bodies import fitted
from kubus_apiserver.writing.changes import bound, finalized
from kubus_apiserver.writing.deletion import UNSAFE, UNSAFE_VERB
from kubus_apiserver.writing.patching import Patch, Replacement
from kubus_apiserver.writing.podchanges import CONFINED
from kubus_apiserver.writing.scales import scale_entry, scale_patched, scaled
from kubus_apiserver.writing.strategy import check_identity
from kubus_apiserver.writing.writes import Change, Deleted

READ = ReadOptions()
BINDINGS = "bindings.core"
_EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction"}
_EDITABLE = frozenset({"", "status", "approval", *CONFINED})


def authorize(core: Core, user: User, verb: str, target: Target, field_selector: str = "") -> None:
    """Let the user do it.

    Raises:
        StatusError: 403.
    """
    kind = target.kind
    resource = f"{kind.plural}/{target.subresource}" if target.subresource else kind.plural
    name = chosen_name(verb, target.name, field_selector)
    wanted = Attributes(verb, kind.group, resource, target.namespace, name, field_selector=field_selector)
    core.authorizer.check(user, wanted)


def check_served(target: Target, verb: str) -> None:
    """Refuse a verb or a subresource that the kind does not have.

    Raises:
        StatusError: 404, 405.
    """
    kind, subresource = target.kind, target.subresource
    if not subresource:
        if verb not in kind.verbs:
            raise method_not_allowed()
        return
    known = {"status": kind.status, "scale": kind.scale is not None}
    if not known.get(subresource, subresource.partition("/")[0] in kind.subresources):
        raise path_not_found()


async def get(core: Core, target: Target, options: ReadOptions) -> Entry:
    """One object, or its status or scale."""
    if target.subresource not in ("", "status", "scale", "approval", "ephemeralcontainers", "resize"):
        raise method_not_allowed()
    if target.kind.collection == COMPONENTS:
        return await component_status(core, target)
    entry = await core.reads.get(target, options)
    return scale_entry(target.kind, entry) if target.subresource == "scale" else entry


async def list_(core: Core, target: Target, options: ReadOptions) -> Listed:
    """A collection, or a page of it."""
    if target.kind.collection == COMPONENTS:
        return await component_statuses(core, target, options)
    return await core.reads.list(target, options)


async def create(
    core: Core, target: Target, body: Object, user: User, options: WriteOptions
) -> tuple[Entry | Deleted, tuple[str, ...]]:
    """A new object, or a binding or eviction of one; and warnings."""
    if target.kind.collection == BINDINGS or target.subresource == "binding":
        return await _bind(core, target, body, user, options)
    if target.subresource == "eviction":
        eviction = await admitted(core.gate, target, {**body, **_EVICTION}, user, options)
        agreed = replace(options, admitted=True)
        return await core.evictions.evict(target, partial(core.reads.get, target, READ), eviction, user, agreed), ()
    if target.subresource == "token":
        request, warnings = fitted(TOKEN_REQUESTS, body, core.schemas, options.field_validation)
        named = {**request, "apiVersion": TOKEN_REQUESTS.api_version, "kind": TOKEN_REQUESTS.name}
        request = await admitted(core.gate, target, named, user, options)
        return await core.token_requests.create(target, request, user), warnings
    if target.subresource:
        raise method_not_allowed()
    obj, warnings = fitted(target.kind, body, core.schemas, options.field_validation)
    if is_review(target.kind):
        return await _review(core, target, obj, user, options), warnings
    if target.kind.collection == "pods.core" and _names_unknown(core, obj, target.namespace):
        await core.freshness.consistent()  # it may have been made a moment ago
    return await core.writes.create(target, obj, user, options), warnings


def _names_unknown(core: Core, pod: Object, namespace: str) -> bool:
    return is_account_unknown(pod, namespace, core.cache) or is_class_unknown(pod, core.cache)


async def _review(core: Core, target: Target, obj: Object, user: User, options: WriteOptions) -> Entry:
    """The answer to a question, once admission has let it pass."""
    kind = target.kind
    metadata = dict(obj.get("metadata") or {})
    if kind.namespaced:
        metadata.setdefault("namespace", target.namespace)
    asked = {**obj, "apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
    proposal = await core.gate.mutated(Proposal(user, "create", kind, "", asked, None, **said(options)))
    await core.gate.validated(proposal)
    return reviewed(Judges(core.authorizer, core.authenticator), target, proposal.object, user)


async def _bind(
    core: Core, target: Target, body: Object, user: User, options: WriteOptions
) -> tuple[Entry, tuple[str, ...]]:
    """A pod put on a node: admission is asked about the Binding, not about the pod."""
    kind = core.registry[BINDINGS]
    binding, warnings = fitted(kind, body, core.schemas, options.field_validation)
    name = target.name or path_of(binding, "metadata", "name", default="")
    binding = {**binding, "apiVersion": kind.api_version, "kind": kind.name}
    binding = await admitted(core.gate, target._replace(name=name), binding, user, options)
    pod = Target(core.registry["pods.core"], target.namespace, name, "binding")
    change, agreed = bound(name, binding, core.clock), replace(options, admitted=True)
    return await core.writes.update(pod, change, user, agreed, verb="bind"), warnings


async def update(
    core: Core, target: Target, body: Object, user: User, options: WriteOptions
) -> tuple[Entry, tuple[str, ...]]:
    """An object, its status or its scale, replaced; and warnings."""
    revision = _revision(body)
    if target.subresource == "scale":
        plain = target._replace(subresource="")
        entry = await core.writes.update(
            plain, scaled(target.kind, body), user, options, revision=revision, tracked_as="scale"
        )
        return scale_entry(target.kind, entry), ()
    if target.subresource == "finalize":
        return await core.writes.update(target, finalized(body), user, options, revision=revision), ()
    if target.subresource not in _EDITABLE:
        raise method_not_allowed()
    obj, warnings = fitted(target.kind, body, core.schemas, options.field_validation)
    return await core.writes.update(
        target, _within(core, target, Replacement(obj)), user, options, revision=revision
    ), warnings


async def update_or_create(
    core: Core, target: Target, body: Object, user: User, options: WriteOptions
) -> tuple[AppliedEntry, tuple[str, ...]]:
    """An update that creates what is not there, of the kinds that have it so; the right to create is asked for then."""
    try:
        entry, warnings = await update(core, target, body, user, options)
        return AppliedEntry(entry, created=False), warnings
    except StatusError as error:
        names_one = path_of(body, "metadata", "uid") or _revision(body)
        if error.code != 404 or target.subresource or not target.kind.create_on_update or names_one:
            raise
    authorize(core, user, "create", target)
    obj, warnings = fitted(target.kind, body, core.schemas, options.field_validation)
    check_identity(target.kind, obj, target.namespace, target.name)
    return AppliedEntry(await core.writes.create(target, obj, user, options), created=True), warnings


async def patch(
    core: Core,
    target: Target,
    patch_type: str,
    body: Any,
    *,
    user: User,
    options: WriteOptions,
    told: tuple[str, ...] = (),
) -> tuple[Entry, tuple[str, ...]]:
    """An object, its status or its scale, patched; and warnings, after those that were `told` of the patch's text."""
    change = Patch(target.kind, patch_type, body, core.schemas, options.field_validation, told=told)
    if target.subresource == "scale":
        plain = target._replace(subresource="")
        entry = await core.writes.update(
            plain, scale_patched(target.kind, change), user, options, verb="patch", tracked_as="scale"
        )
        return scale_entry(target.kind, entry), ()
    if target.subresource not in _EDITABLE:
        raise method_not_allowed()
    entry = await core.writes.update(target, _within(core, target, change), user, options, verb="patch")
    return entry, change.warnings


async def apply(core: Core, target: Target, config: Any, user: User, options: WriteOptions) -> AppliedEntry:
    """A configuration applied to an object, its status or its scale."""
    done = await applying.apply(
        core.writes,
        core.fields,
        target,
        config,
        user=user,
        options=options,
        may_create=lambda: authorize(core, user, "create", target),
    )
    return done._replace(entry=scale_entry(target.kind, done.entry)) if target.subresource == "scale" else done


def _within(core: Core, target: Target, change: Change) -> Change:
    """The change, confined to what its subresource is about where objects have more than status and the rest."""
    if target.subresource in CONFINED:
        return CONFINED[target.subresource](change)
    if target.kind.collection != REQUESTS:
        return change
    confined = {"approval": approved, "status": judged}.get(target.subresource)
    return change if confined is None else confined(change, core.clock.now())


async def delete(core: Core, target: Target, options: Object, user: User, write: WriteOptions) -> Deleted:
    """An object deleted, or begun to be."""
    if target.subresource:
        raise method_not_allowed()
    if options.get(UNSAFE):
        try:
            authorize(core, user, UNSAFE_VERB, target)
        except StatusError:
            detail = f'not permitted to do "{UNSAFE_VERB}"'
            raise forbidden(target.kind.plural, target.kind.group, target.name, detail) from None
    return await core.writes.delete(target, options, user, write)


async def delete_many(
    core: Core, target: Target, chosen: ReadOptions, options: Object, *, user: User, write: WriteOptions
) -> Listed:
    """Delete, or begin to delete, every object that is selected; return them as they were listed.

    An object that somebody else has deleted meanwhile is left out.
    """
    listed = await core.reads.list(target, chosen)
    deleted: list[Entry] = []
    for entry in listed.entries:
        try:
            await core.writes.delete(target._replace(namespace=entry.namespace, name=entry.name), options, user, write)
        except StatusError as error:
            if error.code != 404:
                raise
        else:
            deleted.append(entry)
    return listed._replace(entries=deleted)


def target_of(kind: Kind, namespace: str, name: str, subresource: str) -> Target:
    """What a request is about.

    Raises:
        StatusError: 404, a namespace where there is none, or none where an object needs one.
    """
    if namespace and not kind.namespaced:
        raise path_not_found()
    if name and kind.namespaced and not namespace:
        raise path_not_found()
    if kind.from_stored is not None and name == "":
        return Target(kind, namespace)
    return Target(kind, namespace, name, subresource)


def missing(target: Target) -> StatusError:
    """404 for an object."""
    return not_found(target.kind.plural, target.kind.group, target.name)


def _revision(body: Object) -> str:
    metadata = body.get("metadata")
    revision = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    return revision if isinstance(revision, str) and revision != "0" else ""
