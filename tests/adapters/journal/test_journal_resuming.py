"""A stream of today resumes from a journal that version 0.1.0 left behind."""

from __future__ import annotations

import gzip
import shutil
from decimal import Decimal
from pathlib import Path

from listenkey.adapters.journal import SqliteJournal, verify
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import ExchangeEvent, Fill, GapNotice
from listenkey.core.reports import Account, FillReport, OrderReport

BEFORE = Path(__file__).parent / "files" / "schema-3.journal"
"""Written by a stream of 0.1.0 that was killed: an order of 1, of which 0.2 was filled, delivered, and not marked."""
T = 1_760_000_000_000
SYMBOL, ORDER = "BTC-USDT", "1976218903122018401"
NOW = T + 60_000


def read_since(asked: actions.ReadAccount) -> inputs.AccountRead:
    """Return the account that the venue shows a minute later, when another 0.3 of the order was executed."""
    report = OrderReport(
        SYMBOL, ORDER, "PARTIALLY_FILLED", Decimal("0.5"), side="BUY", position_side="LONG", qty=Decimal(1)
    )
    fills = tuple(
        FillReport(symbol=SYMBOL, order_id=ORDER, qty=Decimal(qty), price=Decimal(64000), exchange_ts=at, trade_id=name)
        for qty, at, name in (("0.2", T + 7000, "7"), ("0.3", T + 30_000, "8"))
    )
    return asked.read(
        Account(
            as_of=NOW,
            exchange_ms=NOW + 100,
            since=asked.since,
            whole=True,
            settled=True,
            orders=(report,),
            open_orders=frozenset({ORDER}),
            fills=fills,
        )
    )


def test_a_journal_of_before_resumes(tmp_path: Path) -> None:
    """The unmarked fill comes again, the missed fill is read and delivered, and no `Begin` comes."""
    path = Path(shutil.copy(BEFORE, tmp_path / "account.journal"))
    journal = SqliteJournal(path)
    assert [entry.event.event_id for entry in journal.unmarked()][-1] == f"fill:{SYMBOL}:{ORDER}:0.2"
    checkpoint = journal.resume()
    assert checkpoint is not None
    assert (checkpoint.began, checkpoint.proven_until) == (T, T)
    connection, now = Connection(SwapDialect()), 0.0
    done: list[actions.Action] = []
    waiting: list[inputs.Input] = [inputs.Start(checkpoint)]
    while waiting:
        now += 0.1
        ordered = connection.handle(waiting.pop(0), now=now)
        delivered = [action.event for action in ordered if isinstance(action, actions.Deliver)]
        proven = [action.until for action in ordered if isinstance(action, actions.MarkProven)]
        journal.append(delivered, proven[0] if proven else None)
        done += ordered
        for action in ordered:
            match action:
                case actions.CreateKey():
                    waiting.append(action.granted("k" * 64, 3600, NOW - 500))
                case actions.OpenSocket():
                    waiting += [action.opened(), action.received(gzip.compress(b"Ping", mtime=0))]
                case actions.ReadAccount():
                    waiting.append(read_since(action))
    assert not [action for action in done if isinstance(action, actions.Begin)]
    events = [action.event for action in done if isinstance(action, actions.Deliver)]
    assert [(event.event_id, event.fill_qty) for event in events if isinstance(event, Fill)] == [
        (f"fill:{SYMBOL}:{ORDER}:0.5", Decimal("0.3"))
    ]
    assert [(event.kind.value, event.recovered) for event in events if isinstance(event, GapNotice)] == [
        ("GAP_OPENED", 0),
        ("GAP_CLOSED", 1),
    ]
    resumed = journal.resume()
    journal.close()
    assert verify(path) == []
    assert resumed is not None
    assert (resumed.began, resumed.proven_until) == (T, NOW - 5000)
    assert amounts(resumed.events) == Decimal("0.5")


def amounts(events: tuple[ExchangeEvent, ...]) -> Decimal:
    return sum((event.fill_qty for event in events if isinstance(event, Fill)), Decimal(0))
