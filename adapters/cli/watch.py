"""`listenkey watch`: the stream of one account, as lines of JSON, as plain lines, or as a live view on a terminal."""

from __future__ import annotations

import os
import re
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack, closing

import anyio

from ...core.events import ExchangeEvent
from ...ports.errors import CredentialsRefused, JournalRefused, ListenKeyError, StreamStopped
from ...ports.journal import Journal
from ..driver.stream import Stream
from ..driver.venue import Venue, open_venue
from .board import Board, Heard
from .credentials import credentials
from .exits import Exit, Failure, Interrupted
from .lines import Lines
from .parser import policy
from .secrecy import Spoken, log_to
from .signals import stoppable
from .terminal import has_terminal
from .wording import sentence

_FLAGS = re.compile(r"\b(rest_url|ws_url|transport|mode|record|proxy)\b")


def run(options: Namespace) -> Exit:
    """Watch until a limit, a signal or the end of the stream."""
    board = None
    if not options.json and has_terminal():
        board = Board(f"listenkey watch {options.venue}", policy(options.settings))
    venue = _open(options, board)
    try:
        anyio.run(_watch, venue, options, board, backend="asyncio")
    except Interrupted:
        return Exit.DONE
    except CredentialsRefused as error:
        raise Failure(Exit.CREDENTIALS, str(error)) from None
    except JournalRefused as error:
        raise Failure(Exit.USAGE, f"watch: --journal {error}") from None
    except StreamStopped as error:
        raise Failure(Exit.STOPPED, str(error)) from None
    return Exit.DONE


async def _watch(venue: Venue, options: Namespace, board: Board | None) -> None:
    async with venue, venue.subscribe() as stream:
        with stoppable(deadline=options.started + options.seconds):
            if board is not None:
                await _show(stream, options, board)
            else:
                await _tell(stream, ExchangeEvent.to_json if options.json else plain_line, options.max_events)


async def _show(stream: Stream, options: Namespace, board: Board) -> None:
    from .live import follow

    log_to(Heard(board), options.log_level)
    try:
        await follow(stream, board, limit=options.max_events)
    finally:
        log_to(Spoken(), options.log_level)


async def _tell(stream: Stream, line: Callable[[ExchangeEvent], bytes], limit: int | None) -> None:
    lines = Lines()
    async for event in stream:
        await lines.write(line(event))
        if lines.count == limit:
            return


def plain_line(event: ExchangeEvent) -> bytes:
    """Local time of day, how it came, and the event in words."""
    now = time.strftime("%H:%M:%S")
    again = " (told before)" if event.redelivered else ""
    return f"{now} {event.source:5} {sentence(event)}{again}".encode()


def _open(options: Namespace, board: Board | None) -> Venue:
    key, secret = credentials()
    if options.record is not None and os.path.lexists(options.record):
        raise Failure(Exit.USAGE, f"watch: --record {options.record} exists already: a new file is needed")
    if options.adopt_journal and options.journal is None:
        raise Failure(Exit.USAGE, "watch: --adopt-journal needs --journal FILE")
    try:
        with ExitStack() as unless_opened:
            journal: str | Journal | None = options.journal
            if options.adopt_journal:
                journal = unless_opened.enter_context(closing(_adopting(options.journal)))
            venue = open_venue(
                options.venue,
                api_key=key,
                api_secret=secret,
                rest_url=options.rest_url,
                ws_url=options.ws_url,
                transport=options.transport,
                mode=options.mode,
                policy=policy(options.settings),
                journal=journal,
                record=options.record,
                seed=options.seed,
                proxy=options.proxy,
                observer=board.observe if board is not None else None,
            )
            unless_opened.pop_all()
            return venue
    except ValueError as error:
        raise Failure(Exit.USAGE, "watch: " + _FLAGS.sub(_flag, str(error))) from None
    except (ImportError, OSError) as error:
        raise Failure(Exit.USAGE, f"watch: {error}") from None
    except ListenKeyError as error:
        raise Failure(Exit.USAGE, f"watch: --journal {error}") from None


def _adopting(path: str) -> Journal:
    from ..journal.sqlite import SqliteJournal

    return SqliteJournal(path, adopt=True)


def _flag(found: re.Match[str]) -> str:
    return "--" + found[0].replace("_", "-")
