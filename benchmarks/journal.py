"""Events a second through a journal on disk: stored before they are delivered, marked when the consumer is done."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from listenkey.adapters.driver.backlog import Backlog
from listenkey.adapters.journal.sqlite import SqliteJournal
from listenkey.core import actions
from listenkey.core.events import ExchangeEvent
from listenkey.core.inputs import FrameReceived

from .desk import EPOCH, Desk
from .measure import Row, Target, Watch, figure
from .stage import Stage

SUBJECT = "journal"


def run(quick: bool = False) -> list[Row]:
    """Measure one event at a time, each in its own transactions, as in a stream; and all events of a read at once."""
    fills, rounds = (20, 1) if quick else (2500, 7)
    events = delivered(fills)
    singly: list[float] = []
    together: list[float] = []
    for _ in range(rounds):
        singly.append(len(events) / passed(events, 1))
        together.append(len(events) / passed(events, 100))
    note = "durability 'process'; a transaction to store and one to mark each event with its frame"
    return [
        figure(
            SUBJECT, "journal, stored and marked singly", "events/s", singly, target=Target(least=10_000), note=note
        ),
        figure(SUBJECT, "journal, stored 100 at once, marked singly", "events/s", together),
    ]


def delivered(fills: int) -> list[ExchangeEvent]:
    """Return the events of `fills` fills and their account updates, with their frames."""
    stage = Stage()
    events = []
    for frame in Desk().frames(fills, since=EPOCH + 1):
        for action in stage.connection.handle(FrameReceived(stage.sockets[0], frame), now=stage.now):
            if isinstance(action, actions.Deliver):
                events.append(action.event)
    return events


def passed(events: list[ExchangeEvent], at_once: int) -> float:
    """Return the seconds in which the events are stored and, one by one, marked."""
    return asyncio.run(_passed(events, at_once))


async def _passed(events: list[ExchangeEvent], at_once: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal")
        backlog = Backlog(100_000, journal)
        watch = Watch()
        for start in range(0, len(events), at_once):
            block = events[start : start + at_once]
            backlog.put(block, None)
            for _ in block:
                await backlog.get()
        backlog.mark()
        spent = watch.seconds()
        if journal.unmarked():
            raise AssertionError("events are left unmarked")
        journal.close()
    return spent
