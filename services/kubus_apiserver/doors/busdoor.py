"""The bus door: the API as services use it, by request and reply.

The subject says who asks, for which verb on which resource: NATS lets an identity publish under its own name only. The
same authorizer and the same writes as over HTTP follow; what differs is the form: MessagePack, objects as they are
stored (`[revision, object]`), pages cut by size. All apiservers share the requests as one queue group.

Objects of the cluster's own services are not checked for unknown fields, but for everything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kubus.bus import Bus, BusError, Disconnected, Message, Subscription
from kubus.bus.subjects import API_REQUESTS, inbox_prefix, parse_api_subject
from kubus.bus.wire import Request, decode_request, encode_reply
from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError, bad_request, internal, path_not_found, unavailable
from kubus.model.objects import Object
from kubus.service.logs import Logger
from kubus.store import StoreError
from kubus_apiserver import actions
from kubus_apiserver.access.audit import AuditLog
from kubus_apiserver.access.audited import recorded
from kubus_apiserver.access.authentication import user_of_identity
from kubus_apiserver.access.node_rights import node_of
from kubus_apiserver.calls import Notes, ReadOptions, Target, User, WriteOptions
from kubus_apiserver.core import Core
from kubus_apiserver.doors.fairness import Asked, flow_of
from kubus_apiserver.doors.inflight import Inflight
from kubus_apiserver.doors.queries import no_manager
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.writing.writes import Deleted

GROUP = "apiserver"
_PAUSE_SECONDS = 0.2
PAGE_BYTES = 4 * 1024 * 1024
_Verb = Callable[[Target, Request, User, Notes], Awaitable[Any]]


class BusDoor:
    """Serves the API over a bus."""

    def __init__(
        self, core: Core, log: Logger, audit: AuditLog | None = None, inflight: Inflight | None = None
    ) -> None:
        self._core = core
        self._inflight = inflight
        self._audit = audit
        self._log = log
        self._verbs: dict[str, _Verb] = {
            "get": self._get,
            "list": self._list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    async def serve(self, bus: Bus) -> Subscription:
        """Take requests as soon as the bus is there; close the result to stop."""
        while True:
            try:
                return await bus.serve(API_REQUESTS, self.handle, group=GROUP)
            except Disconnected as error:
                self._log.info("not serving on the bus yet", reason=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def handle(self, message: Message) -> bytes:
        """The reply to one request.

        Raises:
            BusError: the asker wants the reply somewhere else than in their own inbox. This server may publish where
                they may not, so such a request is not answered at all.
        """
        if not _replies_home(message):
            raise BusError("the reply is wanted outside the inbox of who asks")
        try:
            return encode_reply(200, await self._answer(message))
        except StatusError as error:
            return encode_reply(error.code, error.status)
        except StoreError as error:
            refusal = unavailable(f"the store does not answer: {error}")
        except DecodeError as error:
            refusal = bad_request(str(error))
        except Exception as error:
            self._log.exception("request failed", subject=message.subject)
            refusal = internal(type(error).__name__)
        return encode_reply(refusal.code, refusal.status)

    async def _answer(self, message: Message) -> Any:
        subject = parse_api_subject(message.subject)
        if subject is None or subject.verb not in self._verbs:
            raise path_not_found()
        request = decode_request(message.data)
        kind = self._core.by_resource(subject.collection)
        if kind is None:
            raise path_not_found()
        user = user_of_identity(subject.identity)
        target = Target(kind, request.namespace, request.name, request.subresource)
        if subject.verb in ("update", "create") and not request.name:
            target = self._named(target, request)
        notes = Notes()
        doing = self._seated(subject.verb, target, request, user, notes)
        if self._audit is None:
            return await doing
        return await recorded(
            self._audit, message.subject, subject.verb, target, request, user=user, notes=notes, doing=doing
        )

    async def _seated(self, verb: str, target: Target, request: Request, user: User, notes: Notes) -> Any:
        """Do it once it is this user's turn."""
        if self._inflight is None:
            return await self._done(verb, target, request, user, notes)
        plural = target.kind.plural
        asked = Asked(verb, f"{plural}/{target.subresource}" if target.subresource else plural, target.namespace)
        async with self._inflight.seat(self._inflight.seats(flow_of(user, asked)), user):
            return await self._done(verb, target, request, user, notes)

    async def _done(self, verb: str, target: Target, request: Request, user: User, notes: Notes) -> Any:
        await self._authorize(user, verb, target, request)
        actions.check_served(target, verb)
        return await self._verbs[verb](target, request, user, notes)

    async def _authorize(self, user: User, verb: str, target: Target, request: Request) -> None:
        """Let the user do it.

        A kubelet's rights follow from pods of which it may have heard before this server's cache did, so a refusal is
        given only by a cache that has caught up.
        """
        try:
            actions.authorize(self._core, user, verb, target, request.field_selector)
        except StatusError:
            if not node_of(user):
                raise
            await self._core.freshness.consistent()
            actions.authorize(self._core, user, verb, target, request.field_selector)

    def _named(self, target: Target, request: Request) -> Target:
        """The target with the name that its object says, for an update and for rights by name."""
        metadata = (request.object or {}).get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else ""
        return target._replace(name=name if isinstance(name, str) else "")

    async def _get(self, target: Target, request: Request, _user: User, _notes: Notes) -> Any:
        options = ReadOptions(resource_version=request.resource_version)
        return _pair(await actions.get(self._core, target, options))

    async def _list(self, target: Target, request: Request, _user: User, _notes: Notes) -> Any:
        options = _read_options(request)
        listed = await self._core.reads.list(target, options)
        items: list[Any] = []
        size = 0
        for number, entry in enumerate(listed.entries):
            if size > PAGE_BYTES:
                token = self._core.reads.kept_after(target, listed, listed.entries[number - 1])
                return {"revision": listed.revision, "items": items, "continue": token}
            items.append(_pair(entry))
            size += len(bytes(entry.raw))
        body = {"revision": listed.revision, "items": items, "continue": listed.continue_}
        unreadable = self._core.cache.unreadable(target.kind.collection, target.namespace)
        if unreadable and not listed.continue_:
            body["unreadable"] = [[key.namespace, key.name] for key in unreadable]
        return body

    async def _create(self, target: Target, request: Request, user: User, notes: Notes) -> Any:
        made, _ = await actions.create(self._core, target, _object(request), user, _write_options(request, notes))
        return _pair(made.entry if isinstance(made, Deleted) else made)

    async def _update(self, target: Target, request: Request, user: User, notes: Notes) -> Any:
        entry, _ = await actions.update(self._core, target, _object(request), user, _write_options(request, notes))
        return _pair(entry)

    async def _patch(self, target: Target, request: Request, user: User, notes: Notes) -> Any:
        options = _write_options(request, notes)
        if request.patch_type == "apply":
            if not request.field_manager:
                raise no_manager()
            return _pair((await actions.apply(self._core, target, request.patch, user, options)).entry)
        entry, _ = await actions.patch(
            self._core, target, request.patch_type, request.patch, user=user, options=options
        )
        return _pair(entry)

    async def _delete(self, target: Target, request: Request, user: User, notes: Notes) -> Any:
        options = request.object or {}
        deleted = await actions.delete(self._core, target, options, user, _write_options(request, notes))
        return _pair(deleted.entry)

    async def _delete_collection(self, target: Target, request: Request, user: User, notes: Notes) -> Any:
        options, write = request.object or {}, _write_options(request, notes)
        listed = await actions.delete_many(self._core, target, _read_options(request), options, user=user, write=write)
        items = [_pair(entry) for entry in listed.entries]
        return {"revision": self._core.cache.revision, "items": items, "continue": ""}


def _replies_home(message: Message) -> bool:
    subject = parse_api_subject(message.subject)
    return not message.reply or (subject is not None and message.reply.startswith(f"{inbox_prefix(subject.identity)}."))


def _pair(entry: Entry) -> list[Any]:
    return [entry.revision, entry.raw]


def _object(request: Request) -> Object:
    if not isinstance(request.object, dict):
        raise bad_request("the request has to hold an object")
    return request.object


def _read_options(request: Request) -> ReadOptions:
    return ReadOptions(
        label_selector=request.label_selector,
        field_selector=request.field_selector,
        limit=max(0, request.limit),
        continue_=request.continue_,
        resource_version=request.resource_version,
        resource_version_match=request.resource_version_match,
    )


def _write_options(request: Request, notes: Notes) -> WriteOptions:
    return WriteOptions(
        manager=request.field_manager,
        dry_run=request.dry_run,
        field_validation="Ignore",
        force=request.force,
        cause=request.cause,
        trace=request.trace,
        fence=request.fence,
        notes=notes,
    )
