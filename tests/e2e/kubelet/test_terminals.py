"""Commands in running containers, by pipes and by terminals."""

from __future__ import annotations

import pytest

from kubus_kubelet import terminals

pytestmark = pytest.mark.e2e


@pytest.fixture
async def container(node, image):
    pod = node.run_pod("host", {"name": "app", "image": image, "command": ["sleep", "1000"]})
    status = await node.running(pod)
    return status["containerStatuses"][0]["containerID"].removeprefix("podman://")


async def test_output_and_errors_have_pipes_of_their_own(container, tmp_path):
    line = ["sh", "-c", "cat; echo err >&2"]
    command = await terminals.start(container, line, tmp_path / "log", stdin=True, tty=False)
    command.stdin.write(b"in")
    command.stdin.close()
    assert await command.stdout.read() == b"in"
    assert await command.stderr.read() == b"err\n"
    assert await command.process.wait() == 0
    assert command.refusal() == ""
    await command.aclose()
    assert not (tmp_path / "log").exists()


async def test_what_runc_refuses_is_no_output(container, tmp_path):
    command = await terminals.start(container, ["nothing"], tmp_path / "log", stdin=False, tty=False)
    await command.process.wait()
    assert 'exec: "nothing": executable file not found in $PATH' in command.refusal()
    await command.aclose()


async def test_a_command_can_be_ended(container, tmp_path):
    command = await terminals.start(container, ["sleep", "100"], tmp_path / "log", stdin=True, tty=True)
    command.resize(100, 30)
    await command.aclose()
    assert command.process.returncode is not None
