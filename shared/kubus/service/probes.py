"""Health and metrics of a process, over HTTP on a Unix socket.

    /livez    200 while the event loop turns
    /readyz   200 when the service is ready, 503 with the reason while it is not
    /metrics  Prometheus text

A Unix socket in the instance's run directory needs no port, no TLS and no authentication: the file's mode is the
permission.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


def application(reason_not_ready: Callable[[], str], metrics: CollectorRegistry) -> web.Application:
    """The three paths. `reason_not_ready` gives "" when the service is ready."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        reason = reason_not_ready()
        return web.Response(text=f"{reason}\n", status=503) if reason else web.Response(text="ok\n")

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", show_metrics)])
    return app


@contextlib.asynccontextmanager
async def serving(path: Path, app: web.Application) -> AsyncIterator[None]:
    """Serve on a Unix socket that only this user may open, replacing a stale one; gone afterwards."""
    listener = _listener(path)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
        _remove(path)


def _listener(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
