"""What goes wrong for a user of the command line: a sentence, an advice, and an exit code.

1  something failed            3  the machine lacks something (root, a program)
2  the command makes no sense  4  no cluster is running
"""

from __future__ import annotations


class Failure(Exception):
    """Shown as one sentence and a line of advice; never as a traceback."""

    exit_code = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class MachineLacks(Failure):
    """Root, a program, a free port."""

    exit_code = 3


class NotRunning(Failure):
    """No cluster is running where one is needed."""

    exit_code = 4


class Misused(Failure):
    """The command makes no sense as given."""

    exit_code = 2


class Silent(Failure):
    """The supervisor is there and says nothing."""
