"""Podman's REST API, raw, for the life of containers.

podman-py cannot attach, costs three times the CPU a call and blocks a thread (see `kubus_kubelet.podman`, which
has the images). So containers are made, started, stopped, inspected and removed by the API directly, over one pool
of Unix connections; an attached client has a connection of its own (`attachments`), exec goes to the OCI runtime
(`terminals`). The only module of the kubelet that imports aiohttp.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from kubus.model.codec import from_json, to_json

API = "http://podman/v4.0.0/libpod"
CALL_SECONDS_MAX = 120.0


class EngineError(Exception):
    """Podman refused; `code` is the HTTP code, 0 where there was no answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Engine:
    """Containers by Podman's REST API."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def containers(self, label: str = "kubus.pod.uid") -> list[dict[str, Any]]:
        """All containers, dead ones too, that have a label (`key` or `key=value`)."""
        filters = to_json({"label": [label]}).decode()
        found: list[dict[str, Any]] = await self._call("GET", "/containers/json", all="true", filters=filters)
        return found or []

    async def inspect(self, container: str) -> dict[str, Any]:
        """Everything about one container.

        Raises:
            EngineError: 404 where it does not exist.
        """
        return dict(await self._call("GET", f"/containers/{container}/json"))

    async def create(self, spec: dict[str, Any]) -> str:
        """Create a container from a SpecGenerator; its id."""
        created = await self._call("POST", "/containers/create", spec)
        return str(created["Id"])

    async def start(self, container: str) -> None:
        """Start a created container."""
        await self._call("POST", f"/containers/{container}/start")

    async def kill(self, container: str, signal: str) -> None:
        """Send a signal; that it does not run is not an error."""
        await self._forgiving("POST", f"/containers/{container}/kill", (404, 409), signal=signal)

    async def remove(self, container: str) -> None:
        """Remove a container, running or not; that it is gone already is not an error."""
        await self._forgiving("DELETE", f"/containers/{container}", (404,), force="true", timeout="0", v="true")

    async def image(self, name: str) -> dict[str, Any] | None:
        """An image by any name that Podman resolves, short names too; None if it is not here."""
        try:
            return dict(await self._call("GET", f"/images/{name}/json"))
        except EngineError as error:
            if error.code == 404:
                return None
            raise

    async def resize(self, path: str, *, height: int, width: int) -> None:
        """Resize a terminal: path is `containers/<id>` or `exec/<id>`."""
        await self._forgiving("POST", f"/{path}/resize", (404, 409, 500), h=str(height), w=str(width))

    async def _forgiving(self, method: str, path: str, codes: tuple[int, ...], **query: str) -> None:
        try:
            await self._call(method, path, **query)
        except EngineError as error:
            if error.code not in codes:
                raise

    async def _call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        try:
            async with self._open().request(
                method,
                API + path,
                data=to_json(body) if body is not None else None,
                params=query,
                headers={"Content-Type": "application/json"},
            ) as response:
                data = await response.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise EngineError(0, f"podman does not answer: {error or type(error).__name__}") from None
        if response.status >= 300:
            raise EngineError(response.status, _message(data))
        return from_json(data) if data else None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self.socket), limit=64, force_close=True),
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS_MAX),
            )
        return self._session


def _message(data: bytes) -> str:
    try:
        return str(from_json(data).get("message") or data.decode(errors="replace"))
    except (ValueError, AttributeError):
        return data.decode(errors="replace")
