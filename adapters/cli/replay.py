"""`listenkey replay`: a recording, fed through the core again, and the first difference, if there is one."""

from __future__ import annotations

from argparse import Namespace

from ..recording.replay import UnusableRecording, replay, steps
from .exits import Exit, Failure
from .lines import Lines


def run(options: Namespace) -> Exit:
    """Replay a recording and print the first difference; a file that is no recording is wrong usage."""
    lines = Lines()
    try:
        difference = replay(options.file)
        if difference is not None:
            lines.write_now(str(difference).encode())
            return Exit.NEGATIVE
        lines.write_now(f"{options.file}: {steps(options.file)} steps, no difference".encode())
    except UnusableRecording as error:
        raise Failure(Exit.USAGE, f"replay: {error}") from None
    return Exit.DONE
