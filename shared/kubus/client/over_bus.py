"""The API over the bus: request and reply on `kubus.api.<identity>.<verb>.<resource>.<group>`.

Who asks stands in the subject, which NATS lets nobody else use. Bodies and replies are described in
`kubus.bus.wire`; here the revision that comes beside an object goes into its metadata.resourceVersion.

What is tried again, and what is not:

    reads     whatever the bus or a 429 or 503 did to them, until `patience_seconds` are over
    writes    only when it is certain that nothing has happened: no one listened, or the bus was away, or the
              apiserver said 429 (an eviction's 429 is a budget's answer, and final)

A write without a reply may or may not have happened. It ends as a 504, and the caller, who reconciles, looks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from kubus.bus import Bus, BusError, Disconnected, NoResponders, RequestTimeout
from kubus.bus.subjects import api_subject
from kubus.bus.wire import Request, decode_reply, encode_request
from kubus.client import NO_REASON, Listing, Why
from kubus.model import errors
from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object, name_of, namespace_of

_PAUSE_SECONDS_MIN = 0.05
_PAUSE_SECONDS_MAX = 1.0
_READS = frozenset({"get", "list"})


class BusClient:
    """A `Client` under one identity. `manager` is its field manager, unless a write names another."""

    def __init__(
        self,
        bus: Bus,
        identity: str,
        *,
        manager: str = "",
        timeout_seconds: float = 10.0,
        patience_seconds: float = 30.0,
    ) -> None:
        self._bus = bus
        self._identity = identity
        self._manager = manager or identity
        self._timeout_seconds = timeout_seconds
        self._patience_seconds = patience_seconds
        self._subjects: dict[tuple[str, str], str] = {}

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """One object; see `Client.get`."""
        return _object(await self._ask("get", kind, Request(namespace=namespace, name=name)))

    async def list(
        self, kind: Kind, namespace: str | None = None, *, label_selector: str = "", field_selector: str = ""
    ) -> Listing:
        """All objects; see `Client.list`. A listing that expires between two pages is begun again."""
        first = Request(namespace=namespace or "", label_selector=label_selector, field_selector=field_selector)
        while True:
            try:
                return await self._pages(kind, first)
            except StatusError as error:
                if error.code != 410:
                    raise

    async def create(
        self, kind: Kind, obj: Object, *, subresource: str = "", name: str = "", why: Why = NO_REASON
    ) -> Object:
        """Create; see `Client.create`."""
        request = self._because(why, namespace=namespace_of(obj), name=name, subresource=subresource, object=obj)
        return _object(await self._ask("create", kind, request))

    async def update(self, kind: Kind, obj: Object, *, subresource: str = "", why: Why = NO_REASON) -> Object:
        """Replace; see `Client.update`."""
        request = self._because(
            why, namespace=namespace_of(obj), name=name_of(obj), subresource=subresource, object=obj
        )
        return _object(await self._ask("update", kind, request))

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        patch: Any,
        *,
        patch_type: str = "merge",
        subresource: str = "",
        why: Why = NO_REASON,
    ) -> Object:
        """Patch; see `Client.patch`."""
        request = self._because(
            why, namespace=namespace, name=name, subresource=subresource, patch=patch, patch_type=patch_type
        )
        return _object(await self._ask("patch", kind, request))

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, options: Object | None = None, why: Why = NO_REASON
    ) -> Object:
        """Delete; see `Client.delete`."""
        request = self._because(why, namespace=namespace, name=name, object=options)
        return _object(await self._ask("delete", kind, request))

    async def _pages(self, kind: Kind, request: Request) -> Listing:
        items: list[Object] = []
        unreadable: set[Key] = set()
        revision = 0
        while True:
            body = await self._ask("list", kind, request)
            items += _objects(body["items"])
            unreadable.update(Key(kind.collection, namespace, name) for namespace, name in body.get("unreadable", ()))
            revision = revision or body["revision"]
            if not body.get("continue"):
                return Listing(items, revision, tuple(sorted(unreadable)))
            request = request._replace(continue_=body["continue"])

    def _because(self, why: Why, **fields: Any) -> Request:
        return Request(
            **fields, field_manager=why.manager or self._manager, cause=why.cause, trace=why.trace, fence=why.fence
        )

    async def _ask(self, verb: str, kind: Kind, request: Request) -> Any:
        """The body of a successful reply; tried again where that is safe."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience_seconds
        subject, data = self._subject(verb, kind), encode_request(request)
        pause = _PAUSE_SECONDS_MIN
        while True:
            try:
                return await self._ask_once(subject, data)
            except (BusError, StatusError) as error:
                wait = max(pause, _asked_to_wait(error))
                if loop.time() + wait > until or not _may_retry(error, verb, request.subresource):
                    raise _as_status(error) from None
            await asyncio.sleep(wait)
            pause = min(pause * 2, _PAUSE_SECONDS_MAX)

    async def _ask_once(self, subject: str, data: bytes) -> Any:
        reply = await self._bus.request(subject, data, timeout_seconds=self._timeout_seconds)
        try:
            code, body = decode_reply(reply)
        except DecodeError as error:
            raise errors.internal(str(error)) from None
        if code >= 400:
            raise StatusError.from_status(body if isinstance(body, dict) else {"code": code})
        return body

    def _subject(self, verb: str, kind: Kind) -> str:
        # The resource as paths name it, not the collection: a kind may be a view of another's.
        resource = f"{kind.plural}.{kind.group or 'core'}"
        subject = self._subjects.get((verb, resource))
        if subject is None:
            subject = self._subjects[verb, resource] = api_subject(self._identity, verb, resource)
        return subject


def _may_retry(error: BusError | StatusError, verb: str, subresource: str) -> bool:
    if isinstance(error, StatusError):
        if error.code == 429:
            return subresource != "eviction"
        return error.code == 503 and verb in _READS
    if isinstance(error, NoResponders | Disconnected):
        return True
    return isinstance(error, RequestTimeout) and verb in _READS


def _asked_to_wait(error: BusError | StatusError) -> float:
    return float(error.details.get("retryAfterSeconds") or 0) if isinstance(error, StatusError) else 0.0


def _as_status(error: BusError | StatusError) -> StatusError:
    if isinstance(error, StatusError):
        return error
    if isinstance(error, RequestTimeout):
        return errors.timeout(f"the apiserver did not answer: {error}")
    return errors.unavailable(f"the apiserver cannot be reached: {error}")


def _object(body: Any) -> Object:
    """`[revision, object]` → the object with its resourceVersion; a Status stays what it is."""
    return _objects([body])[0] if isinstance(body, list) else body


def _objects(pairs: Iterable[Any]) -> list[Object]:
    """The objects of pairs, with their resourceVersions: set in place, as nobody else holds what was just decoded."""
    found = []
    for revision, obj in pairs:
        obj["metadata"]["resourceVersion"] = str(revision)
        found.append(obj)
    return found
