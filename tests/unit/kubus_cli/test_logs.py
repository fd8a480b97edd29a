"""The end of a component's log."""

import pytest

from kubus_cli import logs
from kubus_cli.failures import Misused


@pytest.fixture
def log(cluster):
    cluster.log_dir.mkdir(parents=True)
    path = cluster.log_file("relay")
    path.write_text("one\ntwo\nthree\n")
    return path


def test_the_last_lines_are_shown(log):
    shown = []
    logs.show(log, 2, follow=False, write=shown.append)
    assert "".join(shown) == "two\nthree\n"


def test_following_goes_on_as_lines_come(log):
    shown = []

    class Enough(Exception):
        pass

    def write(text):
        shown.append(text)
        if len(shown) == 1:
            log.write_text("one\ntwo\nthree\nfour\n")
        else:
            raise Enough

    with pytest.raises(Enough):
        logs.show(log, 1, follow=True, write=write)
    assert shown == ["three\n", "four\n"]


@pytest.mark.parametrize("name", ["rely", "../log/relay"])
def test_an_unknown_component_is_refused_with_those_there_are(cluster, log, name):
    assert logs.log_of(cluster, "relay") == log
    with pytest.raises(Misused) as caught:
        logs.log_of(cluster, name)
    assert caught.value.advice == "there are: relay"
