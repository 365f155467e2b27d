"""How a command ends: one of five codes, and the failure that says in one line why it is not 0."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    NEGATIVE = 1
    """A verdict was asked for, and it is no."""
    USAGE = 2
    """A flag, a file, a variable or an installation that is not as it must be."""
    CREDENTIALS = 3
    """The venue refused the credentials."""
    STOPPED = 4
    """The stream gave up."""


class Failure(Exception):
    """A command cannot go on; the message is one line for a person, without anything secret."""

    def __init__(self, code: Exit, line: str) -> None:
        super().__init__(line)
        self.code = code


class Interrupted(Exception):
    """A signal or the time asked for ended the command: nothing failed, but what was in hand is not dealt with."""


class Closed(Exception):
    """Whoever read our standard output has left: no failure, but nothing more to do."""
