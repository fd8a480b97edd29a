"""The fork server, run for real and asked over its socket."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

WAIT_SECONDS = 60


class Server:
    """A fork server and the supervisor's end of its socket."""

    def __init__(self, tmp_path):
        self.tmp_path = tmp_path
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(WAIT_SECONDS)
        with theirs, (tmp_path / "server.log").open("wb") as log:
            command = [sys.executable, "-m", "kubus.service.forkserver", str(theirs.fileno())]
            self.process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stderr=log)

    def hear(self):
        return json.loads(self.socket.recv(1 << 18))

    def start(self, service, **environ):
        request = {"start": "one", "service": service, "environ": environ, "log": str(self.tmp_path / "one.log")}
        self.socket.send(json.dumps(request).encode())
        return self.hear()


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.socket.close()
    server.process.kill()
    server.process.wait()


def test_a_service_that_is_not_installed_ends_with_127(server):
    assert "imported" in server.hear()
    started = server.start("nonsense")
    assert server.hear() == {"ended": started["pid"], "status": 127}
    assert "no service 'nonsense'" in (server.tmp_path / "one.log").read_text()


def test_a_service_runs_with_the_environment_it_was_given_and_its_end_is_told(server):
    server.hear()
    started = server.start("scheduler", KUBUS_LOG_FORMAT="text")
    assert server.hear() == {"ended": started["pid"], "status": 78}
    assert "KUBUS_IDENTITY is not set" in (server.tmp_path / "one.log").read_text()


def test_a_killed_child_is_told_with_its_signal_and_holds_no_thread_of_the_server(server):
    server.hear()
    environ = {"KUBUS_IDENTITY": "x", "KUBUS_NATS_URL": "nats://127.0.0.1:1", "KUBUS_RUN_DIR": str(server.tmp_path)}
    started = server.start("scheduler", **environ)
    assert len(list(Path(f"/proc/{server.process.pid}/task").iterdir())) == 1
    os.kill(started["pid"], signal.SIGKILL)
    assert server.hear() == {"ended": started["pid"], "status": -9}


def test_without_a_supervisor_and_children_it_ends(server):
    server.hear()
    server.socket.close()
    assert server.process.wait(WAIT_SECONDS) == 0
