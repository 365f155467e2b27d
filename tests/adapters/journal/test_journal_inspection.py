"""`verify` finds damage and nothing else; `show` lists the entries, also while a stream writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from listenkey.adapters.journal import Finding, JournalRefused, SqliteJournal, Summary, show, summary, verify
from listenkey.core.events import ExchangeEvent, ExchangeEventKind, Fill, FillRevised, Health, HealthChange, OrderState
from listenkey.core.ids import fill_id, order_state_id
from listenkey.ports.errors import StreamStopped

K = ExchangeEventKind
T = 1_700_000_000_000


def order(order_id: str, qty: str = "1") -> OrderState:
    return OrderState(
        kind=K.ORDER_ACK,
        event_id=order_state_id("BTC-USDT", order_id, "NEW", Decimal(0), Decimal(qty), None),
        exchange_ts=T,
        source="ws",
        symbol="BTC-USDT",
        order_id=order_id,
        client_order_id=None,
        side="BUY",
        position_side=None,
        order_type="LIMIT",
        status="NEW",
        price=None,
        qty=Decimal(qty),
        cumulative_qty=Decimal(0),
    )


def fill(order_id: str, cumulative: str, qty: str, redelivered: bool = False) -> Fill:
    plain = {
        **msgspec.structs.asdict(order(order_id)),
        "kind": K.PARTIAL_FILL,
        "event_id": fill_id("BTC-USDT", order_id, Decimal(cumulative)),
        "redelivered": redelivered,
        "cumulative_qty": Decimal(cumulative),
        "fill_qty": Decimal(qty),
        "fill_price": Decimal(100),
        "trade_id": None,
        "fee": None,
        "fee_asset": None,
        "realized_pnl": None,
        "liquidation": False,
    }
    return Fill(**plain)


def revised(original: Fill, **changes: Any) -> FillRevised:
    same = {name: value for name, value in msgspec.structs.asdict(original).items() if name not in ("kind", "event_id")}
    event_id = f"revised:{original.event_id.removeprefix('fill:')}:100:1:"
    return FillRevised(**{**same, "event_id": event_id, "fee": Decimal(1), "replaces": original.event_id, **changes})


def health() -> HealthChange:
    return HealthChange(event_id="health:1", exchange_ts=None, source="local", health=Health.LIVE, state="CONNECTED")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with two orders, fills that are out of order, and an order that is amended and amended back."""
    path = tmp_path / "account.journal"
    journal = SqliteJournal(path)
    journal.begin(T)
    journal.append([order("1"), fill("1", "0.4", "0.2"), fill("1", "0.2", "0.2"), health(), health()], T)
    journal.append([order("2"), order("2", "3"), order("2"), fill("2", "1", "1"), fill("2", "1", "1", True)], None)
    journal.mark(6)
    journal.close()
    return path


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_a_sound_journal(path: Path) -> None:
    """A sound journal has no findings, and its summary has its mark, its serials and its times."""
    assert verify(path) == []
    assert summary(path) == Summary(began=T, proven_until=T, mark=6, first=1, last=10, entries=10)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DELETE FROM events WHERE serial = 4", "entry 5: serial: 4 should come before it"),
        ("UPDATE state SET mark = 11", "mark: 11 is not among the serials, of which the last is 10"),
        ("UPDATE state SET mark = -1", "mark: -1 is not among the serials, of which the last is 10"),
        ("UPDATE state SET swept = 7", "retention: entries up to 7 were deleted, and only those up to 6 were marked"),
        ("DELETE FROM state", "state: 0 rows in place of one"),
        ("UPDATE events SET body = x'c1' WHERE serial = 4", "entry 4: content: "),
        ("UPDATE events SET kind = 'FULL_FILL' WHERE serial = 2", "it is filed as FULL_FILL of order BTC-USDT 1"),
        ("UPDATE events SET order_key = 'BTC-USDT 9' WHERE serial = 2", "of order BTC-USDT 9, which it is not"),
        ("DROP INDEX events_of_orders", "schema: events_of_orders is missing"),
        ("CREATE TABLE more (x)", "schema: more does not belong here"),
    ],
)
def test_damage_is_found(path: Path, statement: str, finding: str) -> None:
    """Each kind of damage is reported, with the entry that shows it."""
    change(path, statement)
    assert any(finding in str(found) for found in verify(path))


def test_a_table_that_was_altered(path: Path) -> None:
    """A table with other columns is found before anything is read from it."""
    change(path, "ALTER TABLE events ADD COLUMN more")
    assert verify(path) == [Finding(None, "schema: events is other than it should be")]


@pytest.mark.parametrize(
    ("event", "findings"),
    [
        (fill("1", "0.3", "0.1"), ["entry 11: fill: it covers ground that entry 2 covers"]),
        (fill("1", "1", "1"), ["entry 11: fill: it covers ground that entry 3 covers"]),
        (fill("1", "0.5", "0"), ["entry 11: fill: 0 of 0.5 covers no ground"]),
        (fill("1", "0.5", "0.6"), ["entry 11: fill: 0.6 of 0.5 covers no ground"]),
        (fill("1", "0.4", "0.2"), ["entry 11: id: entry 2 has the same, fill:BTC-USDT:1:0.4"]),
        (fill("1", "0.4", "0.2", True), []),
        (fill("1", "0.5", "0.1"), []),
        (revised(fill("1", "0.4", "0.2")), []),
        (revised(fill("1", "0.5", "0.1")), ["entry 11: revision: no fill before it is fill:BTC-USDT:1:0.5"]),
        (
            revised(fill("1", "0.4", "0.2"), fill_qty=Decimal("0.4")),
            ["entry 11: revision: fill:BTC-USDT:1:0.4 is of other ground"],
        ),
        (
            revised(fill("1", "0.4", "0.2"), order_id="2"),
            ["entry 11: revision: fill:BTC-USDT:1:0.4 is of other ground"],
        ),
    ],
)
def test_each_interval_is_covered_once(path: Path, event: ExchangeEvent, findings: list[str]) -> None:
    """No two fills of one order cover the same interval, and a fill id comes twice only as `redelivered`.

    A revision has the interval of a fill that comes before it.
    """
    journal = SqliteJournal(path)
    journal.append([event], None)
    journal.close()
    found = [str(finding) for finding in verify(path)]
    assert found[: len(findings)] == findings
    assert bool(found) == bool(findings)


def test_an_order_state_that_repeats(path: Path) -> None:
    """An order may return to an earlier state, but the same state twice in a row is a finding."""
    journal = SqliteJournal(path)
    journal.append([order("3"), order("3")], None)
    journal.close()
    assert [finding.serial for finding in verify(path)] == [12]


def test_torn_pages(path: Path) -> None:
    """A file that was overwritten in the middle yields findings, not an exception."""
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)
    assert verify(path) != []
    with pytest.raises(StreamStopped, match="damaged"):
        list(show(path))


def test_show(path: Path) -> None:
    """`show` lists the entries with the oldest first."""
    assert [(entry.serial, entry.event.kind) for entry in show(path)][:3] == [
        (1, K.ORDER_ACK),
        (2, K.PARTIAL_FILL),
        (3, K.PARTIAL_FILL),
    ]


def test_reading_while_a_stream_writes(path: Path) -> None:
    """Readers see the stored entries while a stream writes, and do not block it."""
    journal = SqliteJournal(path)
    entries = show(path)
    assert next(entries).serial == 1
    journal.append([health()], None)
    journal.mark(11)
    assert verify(path) == []
    assert summary(path).mark == 11
    assert len(list(entries)) == 10
    assert len(list(show(path))) == 11
    journal.close()


def test_show_names_an_entry_that_cannot_be_read(path: Path) -> None:
    """`show` lists the entries before a damaged one, and then raises an error."""
    change(path, "UPDATE events SET body = x'c1' WHERE serial = 4")
    entries = show(path)
    assert [next(entries).serial for _ in range(3)] == [1, 2, 3]
    with pytest.raises(StreamStopped, match="damaged"):
        next(entries)


def test_a_journal_without_state(path: Path) -> None:
    """A journal without its state has no summary: it raises an error."""
    change(path, "DELETE FROM state")
    with pytest.raises(StreamStopped, match="damaged"):
        summary(path)


@pytest.mark.parametrize("reader", [verify, show, summary])
@pytest.mark.parametrize("content", [None, b"", b"x" * 5000])
def test_what_is_no_journal(tmp_path: Path, reader: Callable[[Path], object], content: bytes | None) -> None:
    """A file that is missing, empty or foreign is refused at once, and none is created."""
    path = tmp_path / "other"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(JournalRefused):
        reader(path)
    assert path.exists() == (content is not None)
