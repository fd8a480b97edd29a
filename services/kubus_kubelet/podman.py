"""Images, by podman-py: the only module that imports it.

podman-py is synchronous, so each call runs in a thread. A pull that fails is no exception there: the error is one
line in a stream that began with 200, and is looked for here.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from podman import PodmanClient
from podman.errors import APIError, PodmanError

API_VERSION = "4.3.1"
PULL_SECONDS_MAX = 900


class PullError(Exception):
    """The registry, or Podman, refused."""


class Images:
    """The images of one node."""

    def __init__(self, socket: Path) -> None:
        self._url = f"unix://{socket}"

    async def pull(self, reference: str, *, verify_tls: bool = True, auth: dict[str, str] | None = None) -> None:
        """Fetch an image.

        Raises:
            PullError
        """
        await asyncio.to_thread(self._pull, reference, verify_tls, auth)

    async def all(self) -> list[dict[str, Any]]:
        """Every image here, as Podman lists it; [] while Podman does not answer."""
        return await asyncio.to_thread(self._all)

    def _pull(self, reference: str, verify_tls: bool, auth: dict[str, str] | None) -> None:
        try:
            with self._client() as client:
                lines: Any = client.images.pull(
                    *_split(reference),
                    stream=True,
                    decode=True,
                    compatMode=False,
                    tls_verify=verify_tls,
                    auth_config=auth or {},
                )
                for line in lines:
                    if line.get("error"):
                        raise PullError(str(line["error"]).strip())
        except (APIError, PodmanError, OSError) as error:
            raise PullError(str(getattr(error, "explanation", "") or error)) from None

    def _all(self) -> list[dict[str, Any]]:
        try:
            with self._client() as client:
                return [image.attrs for image in client.images.list()]
        except (APIError, PodmanError, OSError):
            return []

    def _client(self) -> PodmanClient:
        return PodmanClient(base_url=self._url, timeout=PULL_SECONDS_MAX, version=API_VERSION)


def _split(reference: str) -> tuple[str, str]:
    if "@" in reference:  # podman-py joins the two with a colon, whatever they are
        name, _, digest = reference.partition("@")
        algorithm, _, value = digest.partition(":")
        return f"{name}@{algorithm}", value
    head, slash, tail = reference.rpartition("/")
    name, _, tag = tail.partition(":")
    return head + slash + name, tag or "latest"
