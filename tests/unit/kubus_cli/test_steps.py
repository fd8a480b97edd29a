"""Progress, plain and coloured."""

import io

import pytest

from kubus_cli.colours import wants_colour
from kubus_cli.steps import Steps


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_off_a_terminal_there_are_plain_lines_only():
    stream = io.StringIO()
    steps = Steps(stream)
    steps.waiting("etcd")
    steps.done("etcd", 0.314)
    steps.failed("relay: killed")
    steps.warn("odd")
    steps.say("hello")
    assert stream.getvalue() == "✓ etcd  0.31 s\n✗ relay: killed\n! odd\nhello\n"


def test_on_a_terminal_what_is_waited_for_is_overwritten():
    stream = Terminal()
    steps = Steps(stream, {})
    steps.waiting("etcd")
    steps.waiting("etcd")
    steps.done("etcd")
    assert stream.getvalue().count("… etcd") == 1
    assert stream.getvalue().endswith("\r\033[K\033[32m✓\033[0m etcd\n")
    assert steps.seconds >= 0


def test_with_no_color_nothing_is_coloured_although_lines_are_overwritten():
    stream = Terminal()
    steps = Steps(stream, {"NO_COLOR": "1"})
    steps.waiting("etcd")
    steps.done("etcd", 0.5)
    steps.warn("odd")
    assert stream.getvalue() == "\r\033[K… etcd\r\033[K✓ etcd  0.50 s\n\r\033[K! odd\n"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(environ, expected):
    assert wants_colour(Terminal(), environ) is expected
    assert not wants_colour(io.StringIO(), environ)
