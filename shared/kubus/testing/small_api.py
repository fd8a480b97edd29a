"""A very small apiserver and relay in one, for testing what talks to them over a bus.

It keeps objects of any kind in a dict, answers `kubus.api.…` as the real one does (revisions, conflicts, uids,
preconditions, pages, fences) and publishes every change as an event with `previous`, pods also in their node's slice,
and a beat whenever it is asked for one. It knows no schema, no defaults and no admission.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubus.bus import Bus, Message
from kubus.bus.subjects import (
    API_REQUESTS,
    ApiSubject,
    beat_subject,
    collection_stream,
    event_subject,
    node_event_subject,
    node_stream,
    parse_api_subject,
)
from kubus.bus.wire import Beat, Change, Request, decode_request, encode_beat, encode_event, encode_reply
from kubus.model import errors
from kubus.model.errors import StatusError
from kubus.model.objects import Key, Object, metadata, name_of, namespace_of, path_of, uid_of
from kubus.model.patches import merge_patch
from kubus.model.records import Note

Refuse = Callable[[str, ApiSubject, Request], StatusError | None]
"""(verb, subject, request) → an error to answer with instead."""


class SmallApi:
    """Objects, served and published on a bus."""

    def __init__(self, bus: Bus, *, page_items: int = 500) -> None:
        self.revision = 1
        self.objects: dict[Key, tuple[int, Object]] = {}
        """Key → (revision, object without resourceVersion)."""
        self.epoch = "first"
        """The history that beats name."""
        self.unreadable: list[Key] = []
        """Objects that lists name as there but not readable."""
        self.requests: list[tuple[ApiSubject, Request]] = []
        self.refuse: Refuse | None = None
        self.allows: Callable[[Object], bool] = lambda review: False
        """What SubjectAccessReviews say of their spec."""
        self._bus = bus
        self._page_items = page_items
        self._newest: dict[str, int] = {}
        self._snapshots: dict[str, list[Any]] = {}

    async def serve(self) -> None:
        """Answer requests from now on, until the bus is closed."""
        await self._bus.serve(API_REQUESTS, self._answer, group="apiserver")

    async def put(self, collection: str, obj: Object) -> Object:
        """Write an object without asking anyone; as it is stored."""
        key = Key(collection, namespace_of(obj), name_of(obj))
        before = self.objects.get(key)
        uid = uid_of(before[1]) if before else f"uid-{self.revision + 1}"
        meta = {"uid": uid, **{name: value for name, value in metadata(obj).items() if name != "resourceVersion"}}
        stored = {**obj, "metadata": meta}
        self.revision += 1
        self.objects[key] = (self.revision, stored)
        await self._publish("modified" if before else "added", key, stored)
        return stored

    async def remove(self, key: Key) -> None:
        """Delete an object without asking anyone."""
        _, obj = self.objects.pop(key)
        self.revision += 1
        await self._publish("deleted", key, obj)

    async def beat(self) -> None:
        """Repeat the newest revision of every stream."""
        for stream, revision in self._newest.items():
            await self._bus.publish(beat_subject(stream), encode_beat(Beat(revision, self.epoch)))

    async def _publish(self, change: Change, key: Key, obj: Object) -> None:
        note = Note("someone", "", "update", 0).to_wire()
        subjects = [(collection_stream(key.collection), event_subject(key))]
        node = path_of(obj, "spec", "nodeName", default="")
        if node and key.collection == "pods.core":
            subjects.append((node_stream(node), node_event_subject(node, key)))
        for stream, subject in subjects:
            previous = self._newest.get(stream, 1)
            self._newest[stream] = self.revision
            await self._bus.publish(subject, encode_event(change, self.revision, previous, note, obj))

    async def _answer(self, message: Message) -> bytes:
        subject, request = parse_api_subject(message.subject), decode_request(message.data)
        assert subject is not None
        self.requests.append((subject, request))
        try:
            if self.refuse is not None and (refusal := self.refuse(subject.verb, subject, request)):
                raise refusal
            self._check_fence(request)
            body = await self._do(subject, request)
        except StatusError as error:
            return encode_reply(error.code, error.status)
        return encode_reply(200, body)

    async def _do(self, subject: ApiSubject, request: Request) -> Any:
        key = Key(subject.collection, request.namespace, request.name)
        match subject.verb:
            case "get":
                return list(self._there(key))
            case "list":
                return self._page(subject, request)
            case "create" if request.subresource == "eviction":
                self._there(key)
                await self.remove(key)
                return {"kind": "Status", "status": "Success"}
            case "create" if subject.collection == "subjectaccessreviews.authorization.k8s.io":
                review = request.object or {}
                return [0, {"metadata": {}, **review, "status": {"allowed": self.allows(review["spec"])}}]
            case "create":
                return await self._create(subject.collection, request)
            case "update":
                return await self._replace(key, request.object or {}, request.subresource)
            case "patch":
                return await self._replace(key, merge_patch(self._there(key)[1], request.patch), request.subresource)
            case "delete":
                return await self._delete(key, request.object or {})
        raise errors.method_not_allowed()

    def _there(self, key: Key) -> tuple[int, Object]:
        found = self.objects.get(key)
        if found is None:
            raise errors.not_found(*_words(key), key.name)
        return found

    def _page(self, subject: ApiSubject, request: Request) -> Any:
        if request.continue_:
            token, _, start = request.continue_.partition(":")
            items, offset = self._snapshots[token], int(start)
        else:
            node = request.field_selector.removeprefix("spec.nodeName=")
            items = [
                [revision, obj]
                for key, (revision, obj) in sorted(self.objects.items())
                if key.collection == subject.collection
                and request.namespace in ("", key.namespace)
                and (not node or path_of(obj, "spec", "nodeName") == node)
            ]
            token, offset = str(self.revision), 0
            self._snapshots[token] = items
        end = offset + self._page_items
        more = f"{token}:{end}" if end < len(items) else ""
        unreadable = [[key.namespace, key.name] for key in self.unreadable if key.collection == subject.collection]
        return {"revision": int(token), "items": items[offset:end], "continue": more, "unreadable": unreadable}

    async def _create(self, collection: str, request: Request) -> Any:
        obj = request.object or {}
        key = Key(collection, namespace_of(obj), name_of(obj))
        if key in self.objects:
            raise errors.already_exists(*_words(key), key.name)
        await self.put(collection, obj)
        return list(self.objects[key])

    async def _replace(self, key: Key, obj: Object, subresource: str) -> Any:
        revision, before = self._there(key)
        expected = metadata(obj).get("resourceVersion")
        if expected and int(expected) != revision:
            raise errors.conflict(*_words(key), key.name, "the object has been modified")
        if uid_of(obj) not in ("", uid_of(before)):
            raise errors.conflict(*_words(key), key.name, "the UID in the precondition does not match")
        if subresource == "status":
            obj = {**before, "status": obj.get("status")}
        await self.put(key.collection, obj)
        return list(self.objects[key])

    async def _delete(self, key: Key, options: Object) -> Any:
        _, before = self._there(key)
        uid = path_of(options, "preconditions", "uid")
        if uid and uid != uid_of(before):
            raise errors.conflict(*_words(key), key.name, "the UID in the precondition does not match")
        await self.remove(key)
        return [self.revision, before]

    def _check_fence(self, request: Request) -> None:
        if request.fence is None:
            return
        namespace, name, holder, transitions = request.fence
        _, lease = self.objects.get(Key("leases.coordination.k8s.io", namespace, name), (0, {}))
        spec = lease.get("spec") or {}
        if (spec.get("holderIdentity"), spec.get("leaseTransitions")) != (holder, transitions):
            raise errors.conflict("leases", "coordination.k8s.io", name, f"leadership of {name} was lost")


def _words(key: Key) -> tuple[str, str]:
    resource, _, group = key.collection.partition(".")
    return resource, "" if group == "core" else group
