"""Conversion of custom objects by a webhook, before anybody looks at them.

An entry shows itself in the versions of its kind by pure functions (`Kind.from_stored`). Where a webhook converts,
`ready` asks it first, for many objects at once, and leaves the answers with the entries: each is converted once a
version for as long as it stays in the cache. `stored` asks in the other direction.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol
from uuid import UUID

from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError, internal
from kubus.model.kinds import Custom, Kind
from kubus.model.objects import Object, metadata
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.webhookcalls import WebhookFailed

_TIMEOUT_SECONDS = 30.0
_BATCH = 500
_MAY_CHANGE = ("labels", "annotations")


def is_converted(kind: Kind) -> bool:
    """Whether a webhook makes what is seen of a kind."""
    return kind.custom is not None and kind.custom.webhook is not None


class Caller(Protocol):
    """Who calls webhooks."""

    async def call(self, config: Object, body: Object, *, timeout_seconds: float) -> Object:
        """The answer; WebhookFailed."""


class Conversions:
    """Asks webhooks for other versions of objects."""

    def __init__(self, caller: Caller, random: Random) -> None:
        self._caller = caller
        self._random = random

    async def ready(self, kind: Kind, entries: Sequence[Entry]) -> None:
        """Let entries be seen as a kind.

        Raises:
            StatusError: 500, the webhook did not convert them.
        """
        custom = kind.custom
        if custom is None or custom.webhook is None:
            return
        missing = [entry for entry in entries if _is_foreign(entry, kind) and not entry.is_shown(kind)]
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            objects = [entry.object for entry in batch]
            for entry, converted in zip(batch, await self._converted(kind, custom, objects, kind.version), strict=True):
                if kind.defaults is not None:
                    kind.defaults(converted)
                entry.show(kind, converted)

    async def stored(self, kind: Kind, obj: Object) -> Object:
        """An object in the version that is stored.

        Raises:
            StatusError: 500, the webhook did not convert it.
        """
        custom = kind.custom
        if custom is not None and custom.webhook is not None and kind.version != custom.storage_version:
            return (await self._converted(kind, custom, [obj], custom.storage_version))[0]
        return obj if kind.to_stored is None else kind.to_stored(obj)

    async def between(self, kind: Kind, other: Kind, obj: Object) -> Object:
        """An object of a kind as another version or group of the same objects has it.

        Raises:
            StatusError: 500, the webhook did not convert it.
        """
        custom = kind.custom
        if custom is not None and custom.webhook is not None:
            return (await self._converted(kind, custom, [obj], other.version))[0]
        stored = obj if kind.to_stored is None else kind.to_stored(obj)
        return stored if other.from_stored is None else other.from_stored(stored)

    async def _converted(self, kind: Kind, custom: Custom, objects: list[Object], version: str) -> list[Object]:
        wanted = f"{kind.group}/{version}"
        webhook = custom.webhook or {}
        request = {
            "uid": str(UUID(int=self._random.getrandbits(128), version=4)),
            "desiredAPIVersion": wanted,
            "objects": objects,
        }
        review = {"kind": "ConversionReview", "apiVersion": _review_version(webhook), "request": request}
        try:
            answer = await self._caller.call(
                webhook.get("clientConfig") or {}, review, timeout_seconds=_TIMEOUT_SECONDS
            )
            return _accepted(answer, request["uid"], objects, wanted)
        except (WebhookFailed, ValueError) as error:
            raise _failed(kind, objects[0], error) from None


def _review_version(webhook: Object) -> str:
    versions = webhook.get("conversionReviewVersions") or ["v1"]
    return f"apiextensions.k8s.io/{'v1' if 'v1' in versions else versions[0]}"


def _accepted(answer: Object, uid: Any, objects: list[Object], wanted: str) -> list[Object]:
    """The converted objects of an answer.

    Raises:
        ValueError: it says no, or is not what was asked for.
    """
    response = answer.get("response")
    if not isinstance(response, dict):
        raise ValueError("the response is missing")
    if response.get("uid") != uid:
        raise ValueError(f"expected response.uid={uid!r}, got {response.get('uid')!r}")
    result = response.get("result") or {}
    if result.get("status") != "Success":
        raise ValueError(result.get("message") or "the webhook says that it failed")
    converted = response.get("convertedObjects") or []
    if len(converted) != len(objects):
        raise ValueError(f"expected {len(objects)} converted objects, got {len(converted)}")
    return [_checked(before, after, wanted) for before, after in zip(objects, converted, strict=True)]


def _checked(before: Object, after: Any, wanted: str) -> Object:
    """The converted object, with the metadata that a webhook may not touch as it was."""
    if not isinstance(after, dict) or after.get("apiVersion") != wanted or after.get("kind") != before.get("kind"):
        raise ValueError(f"the converted object is no {before.get('kind')} of {wanted}")
    kept = {key: value for key, value in metadata(before).items() if key not in _MAY_CHANGE}
    changed = {key: metadata(after)[key] for key in _MAY_CHANGE if metadata(after).get(key)}
    for key in ("name", "namespace", "uid"):
        if metadata(after).get(key) != metadata(before).get(key):
            raise ValueError(f"metadata.{key} must not be changed by a conversion")
    return {**after, "metadata": {**kept, **changed}}


def _is_foreign(entry: Entry, kind: Kind) -> bool:
    try:
        return bool(entry.object.get("apiVersion") != kind.api_version)
    except DecodeError:
        return False


def _failed(kind: Kind, obj: Object, error: Exception) -> StatusError:
    source = obj.get("apiVersion")
    return internal(f"conversion webhook for {source}, Kind={kind.name} failed: {error}")
