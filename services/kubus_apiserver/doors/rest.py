"""REST: from a call to an answer, with no socket in sight.

`Rest.answer` routes, authorizes and acts, in Kubernetes' order: rights come before existence, so that nobody
learns what they may not see. Errors become `Status` bodies here, every one of them; what is no `StatusError` is our
own fault, is logged, and comes as 500.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError, internal, method_not_allowed, path_not_found, unavailable
from kubus.model.kinds import Kind
from kubus.model.objects import Object, uid_of
from kubus.model.times import Clock
from kubus.service.logs import Logger
from kubus.store import StoreError
from kubus_apiserver import actions
from kubus_apiserver.access.audit import AuditLog, Recording
from kubus_apiserver.access.audited import begun, ended
from kubus_apiserver.access.impersonation import impersonated
from kubus_apiserver.admission.subresources import admitted_connection, connection_options, query_of
from kubus_apiserver.aggregation.routing import Unavailable
from kubus_apiserver.calls import Notes, Target, User, WriteOptions
from kubus_apiserver.core import Core
from kubus_apiserver.doors.answers import Answer, Call, ForwardAnswer, StreamAnswer, WatchAnswer, failed, success, text
from kubus_apiserver.doors.attributes import attributes_of, with_verb_of_stream
from kubus_apiserver.doors.fairness import Asked, Flow, flow_of
from kubus_apiserver.doors.inflight import Inflight
from kubus_apiserver.doors.ledger import Ledger
from kubus_apiserver.doors.nonresource import NonResource
from kubus_apiserver.doors.queries import check_patch_options, delete_options, read_options, write_options
from kubus_apiserver.doors.routes import Route, route
from kubus_apiserver.doors.streamcalls import stream_call
from kubus_apiserver.doors.views import restated, view_of
from kubus_apiserver.forwarding import proxies
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.negotiation import PROTOBUF
from kubus_apiserver.reading.representations import View, many, one
from kubus_apiserver.writing.bodies import Text, is_slow, read_object, read_patch, told_of_patch, told_of_text
from kubus_apiserver.writing.writes import Deleted

AnyAnswer = Answer | WatchAnswer | StreamAnswer | ForwardAnswer
_Handler = Callable[[Call, Route, Target], Awaitable[AnyAnswer]]
_OF_ONE = ("update", "patch")
_NOBODY = User("")
_STREAMED = ";stream=watch"
_OF_OBJECTS = frozenset({"", "status", "scale", "binding", "eviction", "token", "finalize", "approval"})
"""Subresources that are not streams, of those that are often asked for."""


class Rest:
    """The REST API of a core."""

    def __init__(
        self,
        core: Core,
        nonresource: NonResource,
        log: Logger,
        audit: AuditLog | None = None,
        inflight: Inflight | None = None,
        *,
        ledger: Ledger | None = None,
    ) -> None:
        self._core = core
        self._inflight = inflight
        self._ledger = ledger
        self._decoding = asyncio.Semaphore(1)
        self._audit = audit
        self._nonresource = nonresource
        self._proxies = proxies.Proxies(core.cache, core.endpoints, core.dialler)
        self._log = log
        self._handlers: dict[str, _Handler] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self._core.clock

    def ends(self, call: Call) -> bool:
        """Whether a call is of those whose answer ends: about objects, and neither a watch nor a stream."""
        found = _route(call)
        kind = self._core.registry.resource(found.group, found.version, found.resource) if found.resource else None
        own = kind is not None and found.verb != "watch" and found.subresource in _OF_OBJECTS
        return own and not self._core.routing.leads_away(call.path)

    def leads_away(self, path: str) -> bool:
        """Whether somebody else answers at a path, so that a body is not read here."""
        if self._core.routing.leads_away(path):
            return True
        return proxies.MARK in path and proxies.is_proxy(route("GET", path))

    async def answer(self, call: Call) -> AnyAnswer:
        """The answer to a call; never an exception."""
        try:
            user = self._core.authenticator.user(call.user, call.authorization, call.subprotocols)
        except StatusError as error:
            return self._unknown(call, error)
        notes = call.notes or Notes()
        if user is not call.user or notes is not call.notes:
            call = call._replace(user=user, notes=notes)
        found = _route(call)
        recording = None if self._audit is None else begun(self._audit, call, found)
        answer = await self._seated(call, found, recording)
        if isinstance(answer, Answer) and answer.code >= 400:
            answer = restated(answer, call.accept)
        if notes.warnings and isinstance(answer, Answer) and answer.code >= 400:
            answer = answer._replace(warnings=tuple(notes.warnings))
        if recording is not None:
            recording.annotated(notes.annotations)
            ended(recording, call, answer)
        if self._ledger is None or isinstance(answer, StreamAnswer | ForwardAnswer):
            return answer
        self._ledger.count(found, answer.code if isinstance(answer, Answer) else 200)
        marks = self._ledger.marks(_flow(call, found), recording.audit_id if recording is not None else call.audit_id)
        return answer._replace(marks=marks)

    def admit(self, call: Call) -> Call | Answer:
        """The call with its user, before its body is read; or the refusal, if its sender is not known or may not."""
        try:
            call = call._replace(user=self._core.authenticator.user(call.user, call.authorization, call.subprotocols))
        except StatusError as error:
            return self._unknown(call, error)
        found, user = _route(call), call.user
        try:
            if call.impersonate is not None:
                user = impersonated(user, call.impersonate, self._core.authorizer)
            self._core.authorizer.check(user, attributes_of(call, found))
        except StatusError as error:
            return self._refused(call, found, error, user)
        return call

    def _unknown(self, call: Call, error: StatusError) -> Answer:
        """The answer to who is not who they say they are."""
        return self._refused(call._replace(user=_NOBODY), _route(call), error, _NOBODY)

    def _refused(self, call: Call, found: Route, error: StatusError, user: User) -> Answer:
        """A refusal on the record; `user` is whom the caller may have become."""
        answer = restated(failed(error), call.accept)
        recording = None if self._audit is None else begun(self._audit, call, found)
        if recording is not None:
            if user is not call.user:
                recording.impersonated(user)
            ended(recording, call, answer)
        if self._ledger is None:
            return answer
        self._ledger.count(found, answer.code)
        return answer._replace(marks=self._ledger.mark(recording.audit_id if recording is not None else call.audit_id))

    async def _seated(self, call: Call, found: Route, recording: Recording | None) -> AnyAnswer:
        """The answer once it is this user's turn."""
        if self._inflight is None:
            return await self._guarded(call, found, recording)
        seats = self._inflight.seats(_flow(call, found))
        if seats is None:
            return await self._guarded(call, found, recording)
        try:
            async with self._inflight.seat(seats, call.user):
                return await self._guarded(call, found, recording)
        except StatusError as error:
            return failed(error)

    async def _guarded(self, call: Call, found: Route, recording: Recording | None) -> AnyAnswer:
        try:
            if call.impersonate is not None:
                other = impersonated(call.user, call.impersonate, self._core.authorizer)
                if recording is not None:
                    recording.impersonated(other)
                call = call._replace(user=other)
            return await self._answer(call, found)
        except StatusError as error:
            return failed(error)
        except StoreError as error:
            return failed(unavailable(f"the store does not answer: {error}"))
        except DecodeError as error:
            return failed(internal(f"a stored object cannot be read: {error}"))
        except Exception as error:
            self._log.exception("request failed", method=call.method, path=call.path, user=call.user.name)
            return failed(internal(f"{type(error).__name__}"))

    async def _answer(self, call: Call, found: Route) -> AnyAnswer:
        found = with_verb_of_stream(found)
        self._core.authorizer.check(call.user, attributes_of(call, found))
        if not found.resource:
            return await self._elsewhere(call, found) or await self._nonresource.answer(call)
        kind = self._core.registry.resource(found.group, found.version, found.resource)
        if (away := await self._elsewhere(call, found)) is not None:
            return away
        if kind is None:
            raise path_not_found()
        target = actions.target_of(kind, found.namespace, found.name, found.subresource)
        actions.check_served(target, found.verb)
        handler = self._handlers.get(found.verb)
        if handler is None or (found.verb in _OF_ONE and not found.name):
            raise method_not_allowed()
        answer = await handler(call, found, target)
        if kind.deprecation and isinstance(answer, Answer):
            return answer._replace(warnings=(kind.deprecation, *answer.warnings))
        return answer

    async def _elsewhere(self, call: Call, found: Route) -> Answer | ForwardAnswer | StreamAnswer | None:
        """The way to whom a call is for; None if it is for this server."""
        try:
            forward = self._core.routing.forward(call.user, call.path)
        except Unavailable as error:
            return text(503, str(error))
        if forward is None and proxies.is_proxy(found):
            await self._connected(call, found)
            if found.resource == "nodes":
                return StreamAnswer(*self._proxies.of_node(found))
            forward = self._proxies.forward(found)
        return None if forward is None else ForwardAnswer(forward)

    async def _connected(self, call: Call, found: Route) -> None:
        """Ask admission whether a proxy's connection may be.

        Raises:
            StatusError: it may not.
        """
        kind = self._core.registry.resource(found.group, found.version, found.resource)
        if kind is not None:
            target = Target(kind, found.namespace, found.name, found.subresource)
            asked = connection_options(target, call.query, proxies.path_behind(found))
            await admitted_connection(self._core.gate, target, asked, call.user, WriteOptions(notes=call.notes))

    async def _get(self, call: Call, found: Route, target: Target) -> AnyAnswer:
        options = read_options(call.query)
        if target.subresource == "log":
            return await self._stream(call, target)
        view = view_of(call, target)
        entry = await actions.get(self._core, target, options)
        return Answer(200, one(target.kind, entry, view, self._core.clock.now()), view.form.media)

    async def _list(self, call: Call, found: Route, target: Target) -> AnyAnswer:
        view = view_of(call, target)
        listed = await actions.list_(self._core, target, read_options(call.query))
        return Answer(200, many(target.kind, listed, view, self._core.clock.now()), view.form.media)

    async def _watch(self, call: Call, found: Route, target: Target) -> AnyAnswer:
        view = view_of(call, target, streamed=True)
        options = read_options({**call.query, "watch": ["true"]})  # the legacy path /watch/ says it too
        start = await self._core.watches.start(target, options, view)
        return WatchAnswer(start, view.form.media + _STREAMED if view.form.media == PROTOBUF else view.form.media)

    async def _create(self, call: Call, found: Route, target: Target) -> AnyAnswer:
        if target.subresource in ("exec", "attach", "portforward"):
            return await self._stream(call, target)
        if not target.name and target.kind.namespaced and not target.namespace:
            raise path_not_found()
        if target.name and not target.subresource:
            raise method_not_allowed()
        options = write_options(call.query, call.user_agent, call.trace, "CreateOptions", call.notes)
        view = view_of(call, target)
        body, told, options = await self._body(call, target, options)
        made, warnings = await actions.create(self._core, target, body, call.user, options)
        plain = target.subresource not in ("", "token") or target.kind.collection == actions.BINDINGS
        if isinstance(made, Deleted) or plain:
            return restated(success(code=201), call.accept)
        return self._shown(target, made, view, (*told, *warnings), options, created=True)

    async def _update(self, call: Call, found: Route, target: Target) -> AnyAnswer:
        options = write_options(call.query, call.user_agent, call.trace, "UpdateOptions", call.notes)
        view = view_of(call, target)
        body, told, options = await self._body(call, target, options)
        done, warnings = await actions.update_or_create(self._core, target, body, call.user, options)
        return self._shown(target, done.entry, view, (*told, *warnings), options, created=done.created)

    async def _patch(self, call: Call, found: Route, target: Target) -> AnyAnswer:
        options = write_options(call.query, call.user_agent, call.trace, "PatchOptions", call.notes)
        view = view_of(call, target)
        again: list[str] = []
        patch_type, patch = await self._decoded(call, read_patch, again)
        check_patch_options(call.query, patch_type)
        text = Text(call.content_type, call.body, again)
        told = told_of_patch(patch_type, text, patch, options.field_validation)
        if patch_type == "apply":
            done = await actions.apply(self._core, target, patch, call.user, options)
            return self._shown(target, done.entry, view, told, options, created=done.created)
        entry, warnings = await actions.patch(
            self._core, target, patch_type, patch, user=call.user, options=options, told=told
        )
        return self._shown(target, entry, view, warnings, options)

    async def _delete(self, call: Call, found: Route, target: Target) -> AnyAnswer:
        view = view_of(call, target)
        write, options = self._deletion(call)
        deleted = await actions.delete(self._core, target, options, call.user, write)
        if deleted.removed and not target.kind.grace:
            done = success(_details(target.kind, deleted))._replace(warnings=_all((), write))
            return restated(done, call.accept)
        return self._shown(target, deleted.entry, view, (), write)

    async def _delete_collection(self, call: Call, found: Route, target: Target) -> AnyAnswer:
        view = view_of(call, target)
        write, options = self._deletion(call)
        chosen = read_options(call.query)
        listed = await actions.delete_many(self._core, target, chosen, options, user=call.user, write=write)
        return Answer(200, many(target.kind, listed, view, self._core.clock.now()), view.form.media)

    def _shown(
        self,
        target: Target,
        entry: Entry,
        view: View,
        warnings: tuple[str, ...],
        options: WriteOptions,
        *,
        created: bool = False,
    ) -> Answer:
        """What a write has made."""
        if created and options.notes is not None:
            options.notes.made = entry.object["metadata"]
        body = one(target.kind, entry, view, self._core.clock.now())
        return Answer(201 if created else 200, body, view.form.media, _all(warnings, options))

    async def _decoded(self, call: Call, read: Callable[[str, bytes, list[str]], Any], again: list[str]) -> Any:
        """The body read; one that takes long is read in a thread, one at a time, while others are served."""
        if not is_slow(call.content_type, call.body):
            return read(call.content_type, call.body, again)
        async with self._decoding:
            return await asyncio.to_thread(read, call.content_type, call.body, again)

    async def _body(
        self, call: Call, target: Target, options: WriteOptions
    ) -> tuple[Object, tuple[str, ...], WriteOptions]:
        """The object of a body, and all warnings about fields if it names some twice; then nobody else warns."""
        again: list[str] = []
        body: Object = await self._decoded(call, read_object, again)
        if target.subresource not in ("", "status"):
            return body, (), options
        text = Text(call.content_type, call.body, again)
        told = told_of_text(target.kind, text, body, self._core.schemas, options.field_validation)
        return body, told, replace(options, field_validation="Ignore") if told else options

    def _deletion(self, call: Call) -> tuple[WriteOptions, Object]:
        body = read_object(call.content_type, call.body) if call.body else {}
        query = call.query
        if isinstance(body.get("dryRun"), list) and "dryRun" not in query:
            query = {**query, "dryRun": [str(each) for each in body["dryRun"]]}
        write = write_options(query, call.user_agent, call.trace, "DeleteOptions", call.notes)
        return write, delete_options(query, body)

    async def _stream(self, call: Call, target: Target) -> StreamAnswer:
        query = call.query
        if target.subresource != "log":
            write, asked = WriteOptions(notes=call.notes), connection_options(target, query)
            agreed = await admitted_connection(self._core.gate, target, asked, call.user, write)
            query = query if agreed is asked else query_of(agreed)
        pod = await actions.get(self._core, target._replace(subresource=""), actions.READ)
        node, request = stream_call(target.subresource, pod.object, query)
        return StreamAnswer(node, request)


def _flow(call: Call, found: Route) -> Flow:
    resource = f"{found.resource}/{found.subresource}" if found.subresource else found.resource
    return flow_of(call.user, Asked(found.verb, resource, found.namespace, call.path))


def _route(call: Call) -> Route:
    watching = "watch" in call.query and call.query["watch"][0] in ("1", "true", "True", "t", "")
    return route(call.method, call.path, watch=watching)


def _all(warnings: tuple[str, ...], options: WriteOptions) -> tuple[str, ...]:
    """Warnings about the object, and those that came on the way to the store."""
    return (*warnings, *options.notes.warnings) if options.notes is not None else warnings


def _details(kind: Kind, deleted: Deleted) -> Object:
    details: Object = {"name": deleted.entry.name, "kind": kind.plural}
    if uid := uid_of(deleted.entry.object):  # one that could not be read has none
        details["uid"] = uid
    if kind.group:
        details["group"] = kind.group
    return details
