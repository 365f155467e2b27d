"""The ends of a command: five exit codes, and exceptions that give the reason in one line."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    NEGATIVE = 1
    """The verdict that the command was asked for is negative."""
    USAGE = 2
    """A flag, a file, a variable or the installation is wrong."""
    CREDENTIALS = 3
    """The venue refused the credentials."""
    STOPPED = 4
    """The stream gave up."""


class Failure(Exception):
    """A command cannot go on; the message is one line for a person, without secrets."""

    def __init__(self, code: Exit, line: str) -> None:
        super().__init__(line)
        self.code = code


class Interrupted(Exception):
    """A signal or a time limit ended the command: nothing failed, but the last event is not dealt with."""


class Closed(Exception):
    """The reader of standard output is gone: that is no failure, but the command ends."""
