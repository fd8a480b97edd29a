"""Services run for real, as child processes of the test: signals are a process's affair."""

import os
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from kubus.service.health import ask
from kubus.service.notify import VARIABLE, decode_notice

WAIT_SECONDS = 20


def write_service(tmp_path, body):
    path = tmp_path / "service.py"
    path.write_text(
        "import asyncio, sys\nfrom kubus.service import run\n"
        f"async def serve(context):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        "sys.exit(run('thing', serve))\n"
    )
    return path


class Started:
    def __init__(self, tmp_path, body, **environ):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.listener.settimeout(WAIT_SECONDS)
        self.listener.bind(str(tmp_path / "notify"))
        self.health = str(tmp_path / "thing.sock")
        variables = {VARIABLE: str(tmp_path / "notify"), "KUBUS_IDENTITY": "x", "KUBUS_RUN_DIR": str(tmp_path)}
        self.process = subprocess.Popen(
            [sys.executable, str(write_service(tmp_path, body))],
            env={**os.environ, **variables, **environ},
            stderr=subprocess.PIPE,
            text=True,
        )

    def notice(self):
        return decode_notice(self.listener.recv(4096))

    def end(self):
        status = self.process.wait(WAIT_SECONDS)
        return status, self.process.stderr.read()


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(body, **environ):
        started.append(Started(tmp_path, body, **environ))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()
        each.process.stderr.close()
        each.listener.close()


def test_a_service_says_when_it_is_ready_and_ends_when_told(start):
    service = start("context.ready()\nawait context.stop.wait()")
    assert service.notice().ready
    assert ask(service.health) == (200, "ok\n")
    service.process.send_signal(signal.SIGTERM)
    assert not service.notice().ready
    assert service.end()[0] == 0


def test_health_metrics_and_the_reason_of_not_being_ready_are_served(start):
    service = start("context.ready(); context.not_ready('etcd is away')\nawait context.stop.wait()")
    assert service.notice().ready
    assert service.notice() == (False, "etcd is away")
    assert ask(service.health, "/readyz") == (503, "etcd is away\n")
    assert ask(service.health, "/livez") == (200, "ok\n")
    assert "process_resident_memory_bytes" in ask(service.health, "/metrics")[1]


def test_a_failure_is_logged_and_ends_with_1(start):
    status, log = start("raise ValueError('boom')").end()
    assert status == 1
    assert "thing: failed" in log and "boom" in log


def test_a_missing_setting_ends_with_78_and_names_the_variable(start):
    status, log = start(
        "context.read(__import__('kubus.service').service.Settings)", KUBUS_STOP_GRACE_SECONDS="x"
    ).end()
    assert status == 78
    assert "KUBUS_STOP_GRACE_SECONDS" in log


def test_a_service_that_does_not_listen_is_ended_after_its_grace(start):
    service = start("context.ready()\nawait asyncio.sleep(60)", KUBUS_STOP_GRACE_SECONDS="0.1")
    assert service.notice().ready
    service.process.send_signal(signal.SIGTERM)
    status, log = service.end()
    assert status == 0
    assert "ended by force" in log


def test_a_service_that_is_still_starting_ends_at_once(start):
    body = "print('waiting', file=sys.stderr, flush=True)\nawait asyncio.sleep(1000)"
    service = start(body, KUBUS_STOP_GRACE_SECONDS="900")
    assert service.process.stderr.readline() == "waiting\n"
    service.process.send_signal(signal.SIGTERM)
    status, said = service.end()
    assert status == 0 and "by force" not in said


def test_a_second_signal_ends_it_at_once(start):
    service = start("context.ready()\nawait asyncio.sleep(60)")
    assert service.notice().ready
    service.process.send_signal(signal.SIGINT)
    assert not service.notice().ready
    service.process.send_signal(signal.SIGINT)
    assert service.end()[0] == 0
