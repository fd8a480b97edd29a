"""The control socket's client, against a stand-in for the supervisor."""

import asyncio
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from kubus_cli import control, ownership
from kubus_cli.failures import Failure, NotRunning, Silent


@pytest.fixture
def owned(cluster, tmp_path):
    """A cluster that owns its number, under a run directory short enough for a socket."""
    short = replace(cluster, run_root=Path(tempfile.mkdtemp(prefix="kubus-")))
    assert ownership.claim(short) is None
    yield short
    shutil.rmtree(short.run_root)


async def with_supervisor(run_dir, answers, ask):
    heard = []

    async def serve(reader, writer):
        heard.append(json.loads(await reader.readline()))
        for answer in answers:
            writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(serve, run_dir / control.CONTROL):
        result = await asyncio.to_thread(ask)
    return heard, result


async def test_a_question_gets_its_answer(owned):
    heard, answer = await with_supervisor(
        owned.run_dir, [{"ready": True}], lambda: control.ask(owned, {"do": "status"})
    )
    assert heard == [{"do": "status"}] and answer == {"ready": True}


async def test_a_stream_gives_every_answer(owned):
    _, answers = await with_supervisor(
        owned.run_dir, [{"a": 1}, {"a": 2}], lambda: list(control.stream(owned, {"do": "watch"}))
    )
    assert answers == [{"a": 1}, {"a": 2}]


async def test_what_the_supervisor_refuses_is_a_failure(owned):
    with pytest.raises(Failure, match="no component"):
        await with_supervisor(owned.run_dir, [{"error": "no component"}], lambda: control.ask(owned, {"do": "x"}))


def test_without_a_supervisor_no_cluster_is_running(owned):
    with pytest.raises(NotRunning):
        control.ask(owned, {"do": "status"})


async def test_the_supervisor_of_a_cluster_that_took_the_number_is_not_asked(owned, tmp_path):
    stopped = replace(owned, name="stopped", home=tmp_path / "another home")
    with pytest.raises(NotRunning) as caught:
        await with_supervisor(owned.run_dir, [{"ready": True}], lambda: control.ask(stopped, {"do": "stop"}))
    assert "'stopped' is not running" in caught.value.message
    assert f"--name stopped --home '{stopped.home}'" in caught.value.advice


async def test_a_supervisor_that_says_nothing_is_told_from_one_that_is_not_there(owned):
    async def serve(reader, writer):
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(serve, owned.run_dir / control.CONTROL):
        with pytest.raises(Silent):
            await asyncio.to_thread(control.ask, owned, {"do": "status"}, timeout_seconds=0.01)
