"""exec and attach for clients that speak SPDY: each of a command's streams is one of the connection's.

The client opens `error`, and of `stdin`, `stdout`, `stderr` and `resize` those that it has asked for. The last word is
a Status on `error`, as over WebSocket.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from kubus.bus.sessions import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, Session, SessionLost
from kubus.model.codec import to_json
from kubus.model.errors import internal
from kubus_apiserver.forwarding.spdy_streams import Connection, Receive, Send, Stream

VERSION = "v4.channel.k8s.io"
_STREAMS_SECONDS = 30.0
"""How long a client may take to open its streams."""
_FAREWELL_SECONDS = 5.0
_CHANNELS = {STDOUT: "stdout", STDERR: "stderr", ERROR: "error"}
_SUCCESS = to_json({"metadata": {}, "status": "Success"})


def streams_of(call: dict[str, Any]) -> frozenset[str]:
    """The streams that a client has to open for a call."""
    asked = {each for each in ("stdin", "stdout", "stderr") if call[each]}
    return frozenset({"error", *asked, *(["resize"] if call["tty"] else [])})


async def over_spdy(receive: Receive, send: Send, session: Session, wanted: frozenset[str]) -> None:
    """Connect a client with a command until that has ended, or the client has gone.

    Raises:
        SpdyError: the client speaks something else.
    """
    streams: dict[str, Stream] = {}
    complete = asyncio.Event()

    def opened(stream: Stream) -> bool:
        kind = stream.headers.get("streamtype", "")
        if kind not in wanted or kind in streams:
            return False
        streams[kind] = stream
        if len(streams) == len(wanted):
            complete.set()
        return True

    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(Connection(receive, send, opened).run())
        relaying = tasks.create_task(_relayed(session, streams, complete))
        await asyncio.wait((serving, relaying), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await asyncio.wait((serving,), timeout=_FAREWELL_SECONDS)  # the client takes in the last words, and goes
        serving.cancel()
        relaying.cancel()


async def _relayed(session: Session, streams: dict[str, Stream], complete: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_STREAMS_SECONDS):
            await complete.wait()
        async with asyncio.TaskGroup() as tasks:
            upward = [
                tasks.create_task(_upward(session, streams[kind], channel))
                for kind, channel in (("stdin", STDIN), ("resize", RESIZE))
                if kind in streams
            ]
            await _downward(session, streams)
            for each in upward:
                each.cancel()
    for stream in streams.values():
        await stream.close()


async def _upward(session: Session, stream: Stream, channel: int) -> None:
    with suppress(SessionLost):
        while data := await stream.read():
            for each in data.splitlines() if channel == RESIZE else (data,):
                await session.send(channel, each)
        if channel == STDIN:
            await session.close_channel(STDIN)


async def _downward(session: Session, streams: dict[str, Stream]) -> None:
    said = False
    try:
        while (frame := await session.receive()) is not None:
            channel, data = frame
            if channel == CLOSE:
                continue
            said = said or channel == ERROR
            stream = streams.get(_CHANNELS.get(channel, ""))
            if stream is not None:
                await stream.write(data)
        last = b"" if said else _SUCCESS
    except SessionLost as error:
        last = to_json(internal(f"the stream was lost: {error}").status)
    if last:
        await streams["error"].write(last)
