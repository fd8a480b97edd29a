"""Errors of programs of the machine: one sentence, one advice."""

import pytest

from kubus_cli.failures import Failure, MachineLacks
from kubus_cli.outside_commands import failed, run_command


def test_what_a_program_says_is_given_back():
    assert run_command(["cat"], "hello") == "hello"


def test_a_program_that_is_missing_is_said_with_what_installs_it():
    with pytest.raises(MachineLacks, match="no-such-program is not installed") as caught:
        run_command(["no-such-program"])
    assert "apt-get install" in caught.value.advice


@pytest.mark.parametrize(
    ("command", "errors", "advice"),
    [
        (["ip", "link", "add"], "RTNETLINK answers: Operation not permitted", "CAP_NET_ADMIN"),
        (["ip", "link", "add"], "Error: Unknown device type.", "modprobe"),
        (["nft", "-f", "-"], "x\nError: Could not process rule: No such file or directory", "modprobe nf_tables"),
        (["podman", "build"], "write: no space left on device", "df -h"),
        (["ip", "netns", "add", "x"], 'Cannot create namespace file "x": File exists', "man ip"),
        (["podman", "build"], "one\ntwo", "one two"),
    ],
)
def test_every_error_has_an_advice(command, errors, advice):
    failure = failed(command, errors)
    assert failure.message.startswith(" ".join(command[:3])) and "\n" not in failure.message
    assert advice in failure.advice


def test_an_exit_status_without_a_word_is_a_failure_all_the_same():
    with pytest.raises(Failure, match="exit status 1") as caught:
        run_command(["false"])
    assert caught.value.advice
