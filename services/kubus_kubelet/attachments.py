"""attach: the streams of a container's own process, by Podman's hijacked HTTP connection.

Without a terminal the output comes in frames: one byte stream number, three zeros, four bytes length, data.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import Any

from kubus.bus.sessions import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, Session
from kubus.model import errors
from kubus.model.codec import from_json, to_json
from kubus_kubelet.engine import Engine

_HEADER = struct.Struct(">BxxxI")


async def attach(session: Session, engine: Engine, container_id: str, call: dict[str, Any]) -> None:
    """Connect a session with a running container until one of them ends."""
    reader, writer = await _hijack(engine, container_id, call)
    try:
        async with asyncio.TaskGroup() as tasks:
            pump = _pump_terminal if call["tty"] else _pump_frames
            output = tasks.create_task(pump(session, reader))
            listening = tasks.create_task(_listen(session, engine, container_id, writer))
            await asyncio.wait((output, listening), return_when=asyncio.FIRST_COMPLETED)
            output.cancel()
            listening.cancel()
    finally:
        writer.close()
    await session.send(ERROR, to_json({"metadata": {}, "status": "Success"}))


async def _hijack(
    engine: Engine, container_id: str, call: dict[str, Any]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(engine.socket)
    wanted = "&".join(f"{each}={str(bool(call[each])).lower()}" for each in ("stdin", "stdout", "stderr"))
    writer.write(
        f"POST /v4.0.0/libpod/containers/{container_id}/attach?stream=true&{wanted} HTTP/1.1\r\n"
        "Host: podman\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    code = head.split(b" ", 2)[1]
    if code not in (b"101", b"200"):
        writer.close()
        raise errors.internal(f"podman refuses to attach: {code.decode()}")
    return reader, writer


async def _pump_terminal(session: Session, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(32 * 1024):
        await session.send(STDOUT, data)


async def _pump_frames(session: Session, reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            stream, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
            await session.send(STDERR if stream == STDERR else STDOUT, await reader.readexactly(length))


async def _listen(session: Session, engine: Engine, container_id: str, writer: asyncio.StreamWriter) -> None:
    while (frame := await session.receive()) is not None:
        channel, data = frame
        if channel == STDIN:
            writer.write(data)
            await writer.drain()
        elif channel == CLOSE and data == bytes([STDIN]):
            writer.write_eof()
        elif channel == RESIZE:
            size = from_json(data)
            await engine.resize(
                f"containers/{container_id}", width=int(size.get("Width") or 80), height=int(size.get("Height") or 24)
            )
