"""`kubus tap` on a terminal."""

import pytest

from kubus_cli.tapping import wants_colour


@pytest.mark.parametrize(
    ("environ", "on_terminal", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "0"}, True, False),
        ({"NO_COLOR": ""}, True, True),
    ],
)
def test_colour_is_for_terminals_whose_user_did_not_decline_it(environ, on_terminal, coloured):
    assert wants_colour(environ, on_terminal=on_terminal) is coloured
