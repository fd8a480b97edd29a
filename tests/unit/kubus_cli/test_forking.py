"""The supervisor's end of the fork server."""

import asyncio
import os
import signal

from kubus_cli.forking import Forks


async def test_starts_and_ends_are_reported(tmp_path):
    news = asyncio.Queue()
    forks = Forks(lambda *each: news.put_nowait(("started", *each)), lambda *each: news.put_nowait(("ended", *each)))
    forks.start(tmp_path / "forkserver.log")
    forks.fork("one", "nonsense", {}, tmp_path / "one.log")
    what, name, pid = await news.get()
    assert (what, name) == ("started", "one")
    assert await news.get() == ("ended", pid, 127)
    forks.close()


async def test_a_fork_server_that_dies_is_replaced_and_its_children_are_reported_as_ended(tmp_path):
    news = asyncio.Queue()
    forks = Forks(lambda *each: news.put_nowait(("started", *each)), lambda *each: news.put_nowait(("ended", *each)))
    forks.start(tmp_path / "forkserver.log")
    environ = {"KUBUS_IDENTITY": "x", "KUBUS_NATS_URL": "nats://127.0.0.1:1", "KUBUS_RUN_DIR": str(tmp_path)}
    forks.fork("one", "scheduler", environ, tmp_path / "one.log")
    _, _, pid = await news.get()
    first = forks.pid
    os.kill(first, signal.SIGKILL)
    assert await news.get() == ("ended", pid, -9)
    assert forks.pid != first
    forks.fork("one", "nonsense", {}, tmp_path / "one.log")
    assert (await news.get())[0] == "started"
    forks.close()
