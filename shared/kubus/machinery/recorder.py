"""The recorder: Events, the things that `kubectl describe` shows at its end.

Saying the same about the same object again counts the Event up instead of making another one: its name is derived
from object, reason, message and source, so that a restarted service, or its successor, counts the same one up. How
often an object may be spoken of is limited as in client-go: 25 at once, then one in five minutes.

Events are best effort. `record` returns at once; `run` sends them, and one that cannot be sent is dropped.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple

from kubus.client import Client, Why
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.objects import Object, name_of, namespace_of, revision_of, uid_of
from kubus.model.times import Clock, rfc3339

_log = logging.getLogger(__name__)
_EVENTS = Kind(
    group="", version="v1", name="Event", plural="events", namespaced=True, schema="io.k8s.api.core.v1.Event"
)
"""Enough of the kind to address it."""
BURST = 25
REFILL_SECONDS = 300.0
_REMEMBERED_MAX = 4096
_WAITING_MAX = 1000
_MESSAGE_MAX = 1024


class Said(NamedTuple):
    """One thing to say."""

    about: Object
    reason: str
    message: str
    type: str
    source: str


class Limiter:
    """How often a source may speak of an object: a bucket of `BURST` that refills once in `REFILL_SECONDS`. Pure."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def allows(self, source: str, uid: str, now: float) -> bool:
        """Take one from the bucket, if there is one."""
        tokens, since = self._buckets.pop((source, uid), (float(BURST), now))
        tokens = min(BURST, tokens + (now - since) / REFILL_SECONDS)
        allowed = tokens >= 1
        self._buckets[source, uid] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > _REMEMBERED_MAX:
            self._buckets.popitem(last=False)
        return allowed


class Recorder:
    """Takes Events and sends them. One for a service; `instance` is its host or process."""

    def __init__(self, client: Client, clock: Clock, instance: str = "") -> None:
        self._client = client
        self._clock = clock
        self._instance = instance
        self._limiter = Limiter()
        self._waiting: asyncio.Queue[Said] = asyncio.Queue(_WAITING_MAX)
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()

    def record(self, about: Object, reason: str, message: str, type_: str, source: str) -> None:
        """Note an Event; returns at once. Dropped when the object is spoken of too often, or nobody sends."""
        if self._limiter.allows(source, uid_of(about), self._clock.monotonic()) and not self._waiting.full():
            self._waiting.put_nowait(Said(about, reason, message[:_MESSAGE_MAX], type_, source))

    async def run(self) -> None:
        """Send what is recorded, until cancelled."""
        while True:
            said = await self._waiting.get()
            try:
                await self._send(said)
            except StatusError as error:
                _log.info("an Event about %s was not recorded: %s", name_of(said.about), error)

    async def _send(self, said: Said) -> None:
        event = event_object(said, self._clock.now(), self._instance)
        namespace, name = event["metadata"]["namespace"], event["metadata"]["name"]
        why = Why(manager=said.source, cause=revision_of(said.about) or None)
        if (namespace, name) not in self._counts:
            try:
                await self._client.create(_EVENTS, event, why=why)
                self._remember(namespace, name, 1)
                return
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    raise
                # A write's answer rather than a read: a kubelet may not read Events.
                there = await self._client.patch(
                    _EVENTS, namespace, name, {"lastTimestamp": event["lastTimestamp"]}, why=why
                )
                self._remember(namespace, name, int(there.get("count") or 1))
        await self._count_up(namespace, name, event, why)

    async def _count_up(self, namespace: str, name: str, event: Object, why: Why) -> None:
        count = self._counts[namespace, name] + 1
        try:
            patch = {"count": count, "lastTimestamp": event["lastTimestamp"]}
            await self._client.patch(_EVENTS, namespace, name, patch, why=why)
            self._remember(namespace, name, count)
        except StatusError as error:
            del self._counts[namespace, name]
            if error.code != 404:
                raise
            await self._client.create(_EVENTS, event, why=why)  # it has expired
            self._remember(namespace, name, 1)

    def _remember(self, namespace: str, name: str, count: int) -> None:
        self._counts[namespace, name] = count
        self._counts.move_to_end((namespace, name))
        if len(self._counts) > _REMEMBERED_MAX:
            self._counts.popitem(last=False)


def event_object(said: Said, now: datetime, instance: str) -> Object:
    """The Event of something said; its name is the same whenever the same is said."""
    about = said.about
    namespace = namespace_of(about) or "default"
    source = {"component": said.source, **({"host": instance} if instance else {})}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": event_name(said), "namespace": namespace},
        "involvedObject": {
            "apiVersion": about.get("apiVersion", ""),
            "kind": about.get("kind", ""),
            "name": name_of(about),
            "namespace": namespace_of(about),
            "uid": uid_of(about),
            "resourceVersion": str(revision_of(about) or ""),
        },
        "reason": said.reason,
        "message": said.message,
        "type": said.type,
        "count": 1,
        "firstTimestamp": rfc3339(now),
        "lastTimestamp": rfc3339(now),
        "source": source,
        "reportingComponent": said.source,
        "reportingInstance": instance,
    }


def event_name(said: Said) -> str:
    """`<object>.<16 hex digits>` of what is said about whom by whom."""
    parts = (uid_of(said.about), said.about.get("kind", ""), said.reason, said.message, said.type, said.source)
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return f"{name_of(said.about)[:200]}.{digest}"
