"""What either door tells the audit log: the request as it came, and its answer before it goes."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from urllib.parse import quote, urlencode

from kubus.bus.wire import Request
from kubus.model.codec import DecodeError, from_json
from kubus.model.errors import StatusError
from kubus.model.objects import Object
from kubus_apiserver.access.audit import AuditLog, Recording
from kubus_apiserver.access.audit_policy import Deed
from kubus_apiserver.calls import Notes, Target, User
from kubus_apiserver.doors.answers import Answer, Call, ForwardAnswer, StreamAnswer, WatchAnswer
from kubus_apiserver.doors.routes import Route
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.writing.bodies import read_value

_COMPLETE = "ResponseComplete"


def begun(log: AuditLog, call: Call, found: Route) -> Recording | None:
    """The record of an HTTP request."""
    resource = f"{found.resource}/{found.subresource}" if found.subresource else found.resource
    deed = Deed(
        call.user, found.verb, found.group, found.version, resource, found.namespace, found.name, path=call.path
    )
    if not log.wants(deed):
        return None
    query = f"?{urlencode(call.query, doseq=True)}" if call.query else ""
    return log.begin(deed, quote(call.path) + query, agent=call.user_agent, source=call.source, audit_id=call.audit_id)


def ended(recording: Recording, call: Call, answer: Answer | WatchAnswer | StreamAnswer | ForwardAnswer) -> None:
    """The record of its answer; of a watch, a stream or somebody else's answer, that it has begun."""
    if not isinstance(answer, Answer):
        recording.tell("ResponseStarted", code=101 if isinstance(answer, StreamAnswer) else 200)
        return
    body: Any = None
    if answer.code >= 400 or recording.wants_response:
        body = _parsed(answer.body) if answer.content_type.startswith("application/json") else None
    if call.notes is not None and call.notes.made is not None and recording.is_nameless:
        recording.named(call.notes.made)
    asked = _body(call) if recording.wants_request else None
    status = body if answer.code >= 400 and isinstance(body, dict) else None
    recording.tell(_COMPLETE, code=answer.code, status=status, request=asked, response=body)


async def recorded(
    log: AuditLog,
    subject: str,
    verb: str,
    target: Target,
    request: Request,
    *,
    user: User,
    notes: Notes,
    doing: Awaitable[Any],
) -> Any:
    """What a request over the bus comes to, recorded; with the notes that it leaves on its way."""
    kind = target.kind
    resource = f"{kind.plural}/{target.subresource}" if target.subresource else kind.plural
    deed = Deed(user, verb, kind.group, kind.version, resource, target.namespace, target.name)
    recording = log.begin(deed, f"nats:{subject}")
    if recording is None:
        return await doing
    asked = request.object if request.patch is None else request.patch
    try:
        done = await doing
    except StatusError as error:
        recording.annotated(notes.annotations)
        recording.tell(_COMPLETE, code=error.code, status=error.status, request=asked)
        raise
    except Exception:
        recording.tell("Panic", code=500, request=asked)
        raise
    recording.annotated(notes.annotations)
    recording.tell(_COMPLETE, code=200, request=asked, response=_replied(done) if recording.wants_response else None)
    return done


def _parsed(data: bytes) -> Any:
    try:
        return from_json(data)
    except DecodeError:
        return None


def _body(call: Call) -> Any:
    try:
        return read_value(call.content_type, call.body) if call.body else None
    except StatusError:
        return None


def _replied(done: Any) -> Object | None:
    """The object of a reply `[revision, object]`."""
    if isinstance(done, list) and len(done) == 2:
        return Entry("", "", done[0], done[1]).object
    return None
