"""Images for containers: by policy, each pulled once however many containers wait for it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from kubus.model.objects import Object
from kubus_kubelet.engine import Engine
from kubus_kubelet.image_names import (
    LONGEST_WAIT,
    InvalidImageName,
    is_loopback,
    pull_policy,
    qualified,
    wait_before_retry,
)
from kubus_kubelet.podman import Images, PullError

PULLS_AT_ONCE = 4


class ImageFailure(Exception):
    """An image cannot be had; `reason` is the waiting reason of the container."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class ImagePulls:
    """The images of one node, as containers ask for them."""

    def __init__(self, engine: Engine, images: Images) -> None:
        self._engine = engine
        self._images = images
        self._locks: dict[str, asyncio.Lock] = {}
        self._rounds: dict[str, int] = {}
        """Pulls that have ended, by reference: who waited for one takes its outcome."""
        self._errors: dict[str, str] = {}
        self._failures: dict[str, int] = {}
        self._slots = asyncio.Semaphore(PULLS_AT_ONCE)

    async def present(self, container: Object) -> dict[str, Any] | None:
        """The image if no pull is due: it is here and the policy does not ask for a newer one.

        Raises:
            ImageFailure: ErrImageNeverPull, InvalidImageName.
            EngineError
        """
        image, policy = container.get("image", ""), pull_policy(container)
        try:
            qualified(image)
        except InvalidImageName as error:
            raise ImageFailure("InvalidImageName", str(error)) from None
        if policy == "Always" and not image.startswith("localhost/"):
            return None
        found = await self._engine.image(image)
        if found is None and policy == "Never":
            raise ImageFailure(
                "ErrImageNeverPull", f'Container image "{image}" is not present with pull policy of Never'
            )
        return found

    async def pull(self, image: str, auth: dict[str, str] | None = None) -> dict[str, Any]:
        """Fetch an image; its inspection.

        Raises:
            ImageFailure: ErrImagePull.
            EngineError
        """
        reference = qualified(image)
        arrived = self._rounds.get(reference, 0)
        async with self._locks.setdefault(reference, asyncio.Lock()):
            if self._rounds.get(reference, 0) == arrived:
                await self._fetch(reference, auth)
            error = self._errors.get(reference)
        if error is not None:
            raise ImageFailure("ErrImagePull", error)
        found = await self._engine.image(reference)
        if found is None:
            raise ImageFailure("ErrImagePull", f'image "{image}" is not there after it was pulled')
        return found

    def retry_at(self, image: str, now: datetime) -> datetime:
        """When an image that could not be pulled is tried again."""
        try:
            return now + wait_before_retry(self._failures.get(qualified(image), 0))
        except InvalidImageName:
            return now + LONGEST_WAIT

    async def _fetch(self, reference: str, auth: dict[str, str] | None) -> None:
        try:
            async with self._slots:
                await self._images.pull(reference, verify_tls=not is_loopback(reference), auth=auth)
            self._errors.pop(reference, None)
            self._failures.pop(reference, None)
        except PullError as error:
            self._errors[reference] = str(error)
            self._failures[reference] = self._failures.get(reference, 0) + 1
        self._rounds[reference] = self._rounds.get(reference, 0) + 1
