"""Logs are read whole, cut, followed, and across the rotation of their file."""

from __future__ import annotations

import asyncio

import pytest

from kubus_kubelet.log_files import read_log
from kubus_kubelet.log_lines import Wanted


def line(text, tag="F"):
    return f"2026-01-31T12:00:00.000000000+00:00 stdout {tag} {text}\n"


async def collected(path, wanted, running=lambda: False):
    return b"".join([piece async for piece in read_log(path, wanted, running)]).decode()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), "a\nb\nc\n"),
        (Wanted(tail=2), "b\nc\n"),
        (Wanted(tail=0), ""),
        (Wanted(tail=9), "a\nb\nc\n"),
        (Wanted(limit_bytes=3), "a\nb"),
    ],
)
async def test_a_log_is_read(tmp_path, wanted, expected):
    (tmp_path / "log").write_text(line("a") + line("b") + line("c"))
    assert await collected(tmp_path / "log", wanted) == expected


async def test_a_long_log_is_found_from_its_end(tmp_path):
    (tmp_path / "log").write_text("".join(line(str(number)) for number in range(20_000)))
    found = await collected(tmp_path / "log", Wanted(tail=5000))
    assert found.split() == [str(number) for number in range(15_000, 20_000)]


async def test_a_follower_gets_what_comes_and_stops_when_the_container_does(tmp_path):
    path, alive = tmp_path / "log", True
    path.write_text(line("a"))
    reading = asyncio.ensure_future(collected(path, Wanted(follow=True), lambda: alive))
    await asyncio.sleep(0.15)
    with path.open("a") as file:
        file.write(line("b"))
    await asyncio.sleep(0.15)
    (tmp_path / "new").write_text(line("c"))
    (tmp_path / "new").rename(path)
    await asyncio.sleep(0.25)
    with path.open("a") as file:
        file.write(line("d"))
    alive = False
    assert await asyncio.wait_for(reading, 2) == "a\nb\nc\nd\n"


async def test_a_log_that_is_not_there_is_empty(tmp_path):
    assert await collected(tmp_path / "none", Wanted()) == ""
