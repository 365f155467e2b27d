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
from .credentials import credentials
from .exits import Exit, Failure, Interrupted
from .lines import Lines
from .model import ModelHandler, StreamModel
from .parser import policy
from .secrecy import StderrHandler, log_to
from .signals import stoppable
from .terminal import has_terminal
from .wording import sentence

_FLAGS = re.compile(r"\b(rest_url|ws_url|transport|mode|record|proxy)\b")


def run(options: Namespace) -> Exit:
    """Watch until a limit, a signal or the end of the stream."""
    model = None
    if not options.json and has_terminal():
        model = StreamModel(f"listenkey watch {options.venue}", policy(options.settings))
    venue = _open(options, model)
    try:
        anyio.run(_watch, venue, options, model, backend="asyncio")
    except Interrupted:
        return Exit.DONE
    except CredentialsRefused as error:
        raise Failure(Exit.CREDENTIALS, str(error)) from None
    except JournalRefused as error:
        raise Failure(Exit.USAGE, f"watch: --journal {error}") from None
    except StreamStopped as error:
        raise Failure(Exit.STOPPED, str(error)) from None
    return Exit.DONE


async def _watch(venue: Venue, options: Namespace, model: StreamModel | None) -> None:
    async with venue, venue.subscribe() as stream:
        with stoppable(deadline=options.started + options.seconds):
            if model is not None:
                await _show(stream, options, model)
            else:
                await _write(stream, ExchangeEvent.to_json if options.json else plain_line, options.max_events)


async def _show(stream: Stream, options: Namespace, model: StreamModel) -> None:
    from .live import follow

    log_to(ModelHandler(model), options.log_level)
    try:
        await follow(stream, model, limit=options.max_events)
    finally:
        log_to(StderrHandler(), options.log_level)


async def _write(stream: Stream, line: Callable[[ExchangeEvent], bytes], limit: int | None) -> None:
    lines = Lines()
    async for event in stream:
        await lines.write(line(event))
        if lines.count == limit:
            return


def plain_line(event: ExchangeEvent) -> bytes:
    """Return local time of day, source of the event, and its text."""
    now = time.strftime("%H:%M:%S")
    again = " (delivered before)" if event.redelivered else ""
    return f"{now} {event.source:5} {sentence(event)}{again}".encode()


def _open(options: Namespace, model: StreamModel | None) -> Venue:
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
                observer=model.observe if model is not None else None,
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
