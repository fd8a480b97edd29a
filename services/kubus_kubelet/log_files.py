"""Reading a container's log while it is being written.

conmon starts the file anew when it is full (rename over the old one); a follower sees another inode and goes on with
the new file. Whether more may come is asked of the caller, before the last read, so that nothing is missed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from kubus_kubelet.log_lines import Wanted, shown, tail_offset

CHUNK = 64 * 1024
LOOK_SECONDS = 0.1


async def read_log(path: Path, wanted: Wanted, still_running: Callable[[], bool]) -> AsyncIterator[bytes]:
    """What a log request is answered with, in pieces."""
    left = wanted.limit_bytes
    async for line in _lines(path, wanted, still_running):
        text = shown(line, wanted)
        if left is not None:
            text = text[:left]
            left -= len(text)
        if text:
            yield text
        if left == 0:
            return


async def _lines(path: Path, wanted: Wanted, still_running: Callable[[], bool]) -> AsyncIterator[bytes]:
    file = await _opened(path, still_running)
    if file is None:
        return
    rest = b""
    try:
        if wanted.tail is not None:
            file.seek(_tail_start(file, wanted.tail))
        while True:
            going_on = wanted.follow and still_running()
            data = file.read(CHUNK)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line + b"\n"
            if data:
                await asyncio.sleep(0)
                continue
            if _replaced(file, path):
                file.close()
                file = path.open("rb")
            elif not going_on:
                if rest:
                    yield rest
                return
            else:
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        file.close()


async def _opened(path: Path, still_running: Callable[[], bool]) -> BinaryIO | None:
    while True:
        going_on = still_running()
        try:
            return path.open("rb")  # a local file, just written: in memory
        except FileNotFoundError:
            if not going_on:
                return None
        await asyncio.sleep(LOOK_SECONDS)


def _tail_start(file: BinaryIO, lines: int) -> int:
    size = file.seek(0, 2)
    span = CHUNK
    while True:
        start = max(0, size - span)
        file.seek(start)
        data = file.read(size - start)
        offset = tail_offset(data, lines)
        if offset > 0 or start == 0:
            return start + offset
        span *= 4


def _replaced(file: BinaryIO, path: Path) -> bool:
    try:
        return os.stat(path).st_ino != os.fstat(file.fileno()).st_ino  # noqa: PTH116  # beside fstat
    except FileNotFoundError:
        return False
