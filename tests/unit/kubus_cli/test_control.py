"""The control socket's client, against a stand-in for the supervisor."""

import asyncio
import json

import pytest

from kubus_cli import control
from kubus_cli.failures import Failure, NotRunning


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


async def test_a_question_gets_its_answer(tmp_path):
    heard, answer = await with_supervisor(tmp_path, [{"ready": True}], lambda: control.ask(tmp_path, {"do": "status"}))
    assert heard == [{"do": "status"}] and answer == {"ready": True}


async def test_a_stream_gives_every_answer(tmp_path):
    _, answers = await with_supervisor(
        tmp_path, [{"a": 1}, {"a": 2}], lambda: list(control.stream(tmp_path, {"do": "watch"}))
    )
    assert answers == [{"a": 1}, {"a": 2}]


async def test_what_the_supervisor_refuses_is_a_failure(tmp_path):
    with pytest.raises(Failure, match="no component"):
        await with_supervisor(tmp_path, [{"error": "no component"}], lambda: control.ask(tmp_path, {"do": "x"}))


def test_without_a_supervisor_no_cluster_is_running(tmp_path):
    with pytest.raises(NotRunning):
        control.ask(tmp_path, {"do": "status"})
