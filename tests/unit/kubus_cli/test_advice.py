"""Advice is typed as it stands: it means the same cluster, and never removes data."""

import errno
from pathlib import Path

import pytest

from kubus_cli.advice import command_for, for_system_error
from kubus_cli.places import Place, place


@pytest.mark.parametrize(
    ("name", "home", "expected"),
    [
        ("kubus", "/var/lib/kubus", "kubus up --port 1"),
        ("a", "/var/lib/kubus-a", "kubus up --name a --port 1"),
        ("a", "/tmp/x", "kubus up --name a --home /tmp/x --port 1"),
        ("kubus", "/tmp/x y", "kubus up --name kubus --home '/tmp/x y' --port 1"),
    ],
)
def test_a_suggested_command_means_the_same_cluster(name, home, expected):
    assert command_for(Place(name, Path(home)), "up", "--port", "1") == expected
    assert place(name, home, {}) == (name, Path(home))


@pytest.mark.parametrize(
    ("number", "root", "expected"),
    [
        (errno.EACCES, False, "sudo kubus status --name 'a b'"),
        (errno.EPERM, False, "sudo kubus status --name 'a b'"),
        (errno.EACCES, True, ""),
        (errno.EROFS, True, "the file system is read-only: choose another directory with --home DIRECTORY"),
        (errno.ENOSPC, True, "the disk is full: make room, see df -h"),
        (errno.EIO, True, ""),
    ],
)
def test_an_error_of_the_system_has_an_advice_that_helps(number, root, expected):
    assert for_system_error(OSError(number, ""), ["status", "--name", "a b"], root=root) == expected


def test_no_advice_of_the_command_line_removes_data():
    sources = Path(__file__).parents[3] / "services" / "kubus_cli"
    lines = [line for path in sources.glob("*.py") for line in path.read_text().splitlines() if "--purge" in line]
    allowed = ('typer.Option("--purge"', "kubus down                     (with --purge its data goes too)")
    assert [line for line in lines if not any(each in line for each in allowed)] == []
