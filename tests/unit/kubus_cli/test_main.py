"""The command line: exit codes and sentences, never a traceback."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest


def kubus(*arguments, **environ):
    command = [sys.executable, "-m", "kubus_cli.main", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["status", "--home", "/nonexistent/x"], 4, "there is no cluster in /nonexistent/x"),
        (["tap", "--home", "/nonexistent/x"], 4, "there is no cluster in /nonexistent/x"),
        (["up", "--name", "a/b"], 2, "cannot be a cluster's name"),
        (["nonsense"], 2, "No such command"),
        (["up", "--nodes", "many"], 2, "nodes"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(arguments, status, sentence):
    done = kubus(*arguments)
    assert done.returncode == status
    assert sentence in done.stderr and "Traceback" not in done.stderr


def test_the_version_is_the_packages():
    assert kubus("--version").stdout == f"kubus {version('kubus')}\n"


@pytest.mark.parametrize("command", ["up", "status", "logs", "kubeconfig"])
def test_a_home_that_cannot_be_is_a_sentence(command, tmp_path):
    (tmp_path / "file").write_text("")
    more = {"logs": ["etcd"], "kubeconfig": ["--user", "a"]}.get(command, [])
    done = kubus(command, *more, "--home", str(tmp_path / "file" / "home"))
    assert done.returncode in (3, 4) and "Traceback" not in done.stderr
    assert done.stderr.startswith("kubus: ")


def test_help_names_every_command():
    shown = kubus("--help").stdout
    assert all(name in shown for name in ("up", "down", "status", "logs", "tap", "demo", "pki"))


def test_the_command_line_imports_no_service_and_little_else():
    heavy = ("kubus_apiserver", "kubus_kubelet", "kubus_scheduler", "hpack", "nats", "aiohttp", "cryptography")
    code = f"import sys, kubus_cli.main; print([each for each in sys.modules if each.split('.')[0] in {heavy}])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
