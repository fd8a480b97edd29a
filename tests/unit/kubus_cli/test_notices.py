"""Sockets on which instances say that they are ready."""

import asyncio

from kubus.service.notify import VARIABLE, Notice, send_notice
from kubus_cli.notices import Notices


async def test_the_path_tells_who_speaks(tmp_path):
    heard = asyncio.Queue()
    notices = Notices(tmp_path, lambda *news: heard.put_nowait(news))
    for name in ("etcd", "relay"):
        notices.open(name)
    send_notice({VARIABLE: str(notices.path("relay"))}, Notice(True, "ready"))
    assert await heard.get() == ("relay", True, "ready")
    send_notice({VARIABLE: str(notices.path("etcd"))}, Notice(False, "disk full"))
    assert await heard.get() == ("etcd", False, "disk full")
    notices.close(["etcd"])
    assert list(tmp_path.iterdir()) == [notices.path("relay")]
    notices.close(["relay"])
    assert list(tmp_path.iterdir()) == []
