"""`listenkey` and `python -m listenkey`: what the command line says is done, and the exit code says how it went."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Sequence

from . import __version__
from .adapters.cli.exits import Closed, Exit, Failure
from .adapters.cli.lines import disown
from .adapters.cli.parser import parser
from .adapters.cli.secrecy import StderrHandler, log_to, say
from .adapters.cli.signals import early

STARTED = time.monotonic() - time.process_time()
"""When this process began, on the monotonic clock: up to here it did nothing but load."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say, those of the process by default; the exit code."""
    with early():
        try:
            options = parser(__version__).parse_args(arguments)
            options.started = STARTED
            log_to(StderrHandler(), getattr(options, "log_level", "warning"))
            return _run(options)
        except KeyboardInterrupt:
            return Exit.DONE
        except (Closed, BrokenPipeError):
            disown()
            return Exit.DONE
        except SystemExit as exit:  # --help and --version
            return int(exit.code or 0)
        except Exception as error:
            return _failed(error)


def _run(options: Namespace) -> Exit:
    match options.command:
        case "watch":
            from .adapters.cli import watch

            return watch.run(options)
        case "simulate":
            from .adapters.cli import simulate

            return simulate.run(options)
        case "demo":
            from .adapters.cli import demo

            return demo.run(options)
        case "journal":
            from .adapters.cli import journal

            return journal.run(options)
        case "replay":
            from .adapters.cli import replay

            return replay.run(options)
        case _:
            from .adapters.cli import diagram

            return diagram.run()


def _failed(error: BaseException) -> Exit:
    """One line for whatever it was: what a task group wraps is its first failure."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Closed):
        disown()
        return Exit.DONE
    if isinstance(error, Failure):
        say(f"listenkey: {error}")
        return error.code
    say(f"listenkey: unexpected {type(error).__name__}: {error}")
    return Exit.STOPPED


if __name__ == "__main__":
    sys.exit(main())
