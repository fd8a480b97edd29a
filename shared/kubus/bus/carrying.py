"""A byte stream over a session: what comes out of a socket goes in at the other end.

This is how a connection reaches a pod whose node has no open port. The end of one direction is a `CLOSE` of its
channel, so that the other may go on, as TCP has it; the end of the session is the end of both.
"""

from __future__ import annotations

import asyncio

from kubus.bus.sessions import CLOSE, Session, SessionLost

_READ_BYTES = 64 * 1024


async def carry(
    session: Session,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    channel: int,
    *,
    half_open: bool,
) -> None:
    """Carry both directions until both have ended, or the session or the socket is gone; closes the socket.

    What is read goes out on `channel`. Without `half_open` the end of what is read is the end of everything: a client
    that has closed its socket cannot be told from one that only says no more.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(_send(session, reader, channel))
            bringing = tasks.create_task(_bring(session, writer, sending))
            await asyncio.wait((sending, bringing), return_when=asyncio.FIRST_COMPLETED)
            if bringing.done():
                sending.cancel()
            elif not half_open:
                bringing.cancel()
    except* (OSError, SessionLost):
        pass  # one side has gone, and the other is told so by the end
    finally:
        writer.close()


async def _send(session: Session, reader: asyncio.StreamReader, channel: int) -> None:
    while data := await reader.read(_READ_BYTES):
        await session.send(channel, data)
    await session.close_channel(channel)


async def _bring(session: Session, writer: asyncio.StreamWriter, sending: asyncio.Task[None]) -> None:
    while (frame := await session.receive()) is not None:
        channel, data = frame
        if channel == CLOSE:
            if writer.can_write_eof():
                writer.write_eof()
            await asyncio.wait((sending,))
            return
        writer.write(data)
        await writer.drain()
