"""`SqliteJournal` stores events before they are delivered, marks those dealt with, and deletes those not needed."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from listenkey.adapters.journal import JournalRefused, SqliteJournal, show, summary, verify
from listenkey.core.events import (
    BalanceChange,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FundingFee,
    Health,
    HealthChange,
    OrderState,
)
from listenkey.core.ids import fill_id, order_state_id
from listenkey.core.inputs import Checkpoint
from listenkey.ports.errors import ListenKeyError, StreamStopped
from listenkey.ports.journal import Journal
from listenkey.ports.questions import Question, QuestionStore

K = ExchangeEventKind
T = 1_700_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE

Opener = Callable[..., SqliteJournal]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.journal"


@pytest.fixture
def opened(path: Path) -> Iterator[Opener]:
    """Opens the journal at `path`, after closing the one before; the last is closed at the end."""
    journals: list[SqliteJournal] = []

    def opener(**options: object) -> SqliteJournal:
        for journal in journals:
            journal.close()
        journals.append(SqliteJournal(path, **options))  # type: ignore[arg-type]
        return journals[-1]

    yield opener
    for journal in journals:
        journal.close()


def state(order: str, at: int | None, kind: K = K.ORDER_ACK, status: str = "NEW", cumulative: str = "0") -> OrderState:
    amount = Decimal(cumulative)
    return OrderState(
        kind=kind,
        event_id=order_state_id("BTC-USDT", order, status, amount, Decimal(1), None),
        exchange_ts=at,
        source="ws",
        symbol="BTC-USDT",
        order_id=order,
        client_order_id=None,
        side="BUY",
        position_side=None,
        order_type="LIMIT",
        status=status,
        price=None,
        qty=Decimal(1),
        cumulative_qty=amount,
    )


def fill(order: str, at: int, cumulative: str = "1", qty: str = "1", status: str = "") -> Fill:
    full = Decimal(cumulative) == 1
    return Fill(
        kind=K.FULL_FILL if full else K.PARTIAL_FILL,
        event_id=fill_id("BTC-USDT", order, Decimal(cumulative)),
        exchange_ts=at,
        source="ws",
        frame='{"e":"ORDER_TRADE_UPDATE"}',
        symbol="BTC-USDT",
        order_id=order,
        client_order_id=None,
        side="BUY",
        position_side=None,
        order_type="LIMIT",
        status=status or ("FILLED" if full else "PARTIALLY_FILLED"),
        price=None,
        qty=Decimal(1),
        cumulative_qty=Decimal(cumulative),
        fill_qty=Decimal(qty),
        fill_price=Decimal(50000),
        trade_id=None,
        fee=Decimal("0.025"),
        fee_asset="USDT",
        realized_pnl=None,
        liquidation=False,
    )


def health(at: int | None = None) -> HealthChange:
    return HealthChange(event_id="health:1", exchange_ts=at, source="local", health=Health.LIVE, state="CONNECTED")


def funding(at: int) -> FundingFee:
    return FundingFee(
        event_id=f"funding:{at}",
        exchange_ts=at,
        source="poll",
        amount=Decimal(-1),
        asset="USDT",
        symbol=None,
        provisional=False,
    )


def transfer(at: int) -> BalanceChange:
    return BalanceChange(
        event_id=f"transfer:{at}",
        exchange_ts=at,
        source="poll",
        amount=Decimal(5),
        asset="USDT",
        symbol=None,
        reason="TRANSFER",
    )


def deal_with(journal: Journal, events: Sequence[ExchangeEvent], proven_until: int | None = None) -> None:
    for entry in journal.append(events, proven_until):
        journal.mark(entry.serial)


def resumed(journal: Journal) -> tuple[ExchangeEvent, ...]:
    checkpoint = journal.resume()
    assert checkpoint is not None
    return checkpoint.events


def serials(journal: SqliteJournal) -> list[int]:
    return [entry.serial for entry in show(journal.path)]


def test_new_journal(opened: Opener, path: Path) -> None:
    """A new journal has no checkpoint and no events, and only its owner may read and write the file."""
    journal = opened()
    assert journal.resume() is None
    assert journal.unmarked() == []
    assert journal.append([], None) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert opened().resume() is None
    assert verify(path) == []


def test_unmarked_come_again(opened: Opener) -> None:
    """After a restart exactly the unmarked events come again, in order, with the same ids, as `redelivered`."""
    journal = opened()
    events = [fill("1", T, "0.5", "0.5"), health(), fill("1", T + 1, "1", "0.5")]
    entries = journal.append(events, None)
    assert [(entry.serial, entry.event) for entry in entries] == [(1, events[0]), (2, events[1]), (3, events[2])]
    journal.mark(1)
    journal = opened()
    again = journal.unmarked()
    assert [entry.serial for entry in again] == [2, 3]
    assert [entry.event.event_id for entry in again] == [events[1].event_id, events[2].event_id]
    assert all(entry.event.redelivered for entry in again)
    journal.mark(3)
    assert opened().unmarked() == []


def test_marks_only_go_forward(opened: Opener, path: Path) -> None:
    """A mark does not go back, and a serial that is not stored cannot be marked."""
    journal = opened()
    journal.append([health(), health()], None)
    journal.mark(2)
    journal.mark(1)
    assert summary(path).mark == 2
    with pytest.raises(ValueError, match="serial 3 is not stored; the last is 2"):
        journal.mark(3)


def test_spilled_events_are_read_back(opened: Opener) -> None:
    """An event that this run stored is read back unchanged, and one of an earlier run as `redelivered`."""
    opened().append([health(), health()], None)
    journal = opened()
    journal.append([fill("1", T)], None)
    assert [(entry.serial, entry.event.redelivered) for entry in journal.read(1, 10)] == [(2, True), (3, False)]
    assert [entry.serial for entry in journal.read(0, 2)] == [1, 2]
    journal.mark(1)
    assert [entry.serial for entry in journal.read(0, 10)] == [2, 3]


def test_serials_go_on(opened: Opener) -> None:
    """Serials continue across runs, even if retention has emptied the file."""
    deal_with(opened(), [fill("1", T), health()], T)
    journal = opened()
    journal.append([], T + 3 * HOUR)
    assert serials(journal) == []
    assert [entry.serial for entry in opened().append([health()], None)] == [3]


def test_began(opened: Opener) -> None:
    """The first `begin` is stored, and a later one does not change it."""
    journal = opened()
    journal.begin(T)
    journal.begin(T + 5)
    assert journal.resume() == Checkpoint(began=T, proven_until=None)
    assert opened().resume() == Checkpoint(began=T, proven_until=None)


@pytest.mark.parametrize(
    ("events", "proven", "began"),
    [([health()], None, None), ([health(), fill("1", T)], None, T), ([fill("1", T)], T - 5, T - 5), ([], T, T)],
)
def test_began_when_nobody_said(
    opened: Opener, events: list[ExchangeEvent], proven: int | None, began: int | None
) -> None:
    """Without `begin` the beginning is the earliest exchange time of the first batch that has one."""
    journal = opened()
    journal.append(events, proven)
    checkpoint = journal.resume()
    assert (checkpoint and checkpoint.began) == began


def test_resume_gives_what_the_core_needs(opened: Opener) -> None:
    """A checkpoint has the events after `proven_until` minus 15 minutes, and all events of open or touched orders.

    A read shows payments of ten minutes, so those that were delivered must be known, or they would be delivered again.
    """
    proven = T + HOUR
    open_long_ago = [state("open", T), fill("open", T + 1, "0.1", "0.1")]
    done_long_ago = [state("done", T), fill("done", T + 1)]
    old_money = [funding(T), transfer(T)]
    touched = [state("touched", T), fill("touched", T + 1, "0.5", "0.5")]
    lately = [fill("touched", proven - 4 * MINUTE, "1", "0.5"), funding(proven - 11 * MINUTE), transfer(proven + 1)]
    journal = opened()
    journal.append([*open_long_ago, *done_long_ago, *old_money, *touched], T)
    journal.append([*lately, health()], proven)
    wanted = (*open_long_ago, *touched, *lately, health())
    assert journal.resume() == Checkpoint(began=T, proven_until=proven, events=wanted)
    assert resumed(opened()) == wanted


def test_resume_after_a_blind_stretch(opened: Opener) -> None:
    """A checkpoint has events just before `proven_until`, even if they were stored long before it was set."""
    journal = opened()
    journal.append([], T)
    journal.append([fill("1", T + HOUR)], None)
    journal.append([], T + HOUR)
    assert resumed(journal) == (fill("1", T + HOUR),)


def test_resume_without_any_proof(opened: Opener) -> None:
    """While no read has passed, a checkpoint has all events."""
    journal = opened()
    journal.append([health(), fill("1", T), fill("2", T + HOUR)], None)
    assert journal.resume() == Checkpoint(
        began=T, proven_until=None, events=(health(), fill("1", T), fill("2", T + HOUR))
    )


@pytest.mark.parametrize(
    "ending",
    [
        state("1", T, K.CANCEL_ACK, "CANCELED"),
        state("1", T, K.ORDER_EXPIRED, "EXPIRED"),
        state("1", T, K.ORDER_REJECT, "REJECTED"),
        fill("1", T),
        fill("1", T, "0.5", "0.5", status="CANCELED"),
    ],
    ids=lambda event: f"{event.kind}-{event.status}",
)
def test_what_ends_an_order(opened: Opener, ending: OrderState) -> None:
    """A full fill, a cancel, an expiry, a reject, and a late fill with such a status end an order."""
    journal = opened()
    journal.append([ending], T)
    journal.append([], T + HOUR)
    assert resumed(journal) == ()


def test_retention(opened: Opener, path: Path) -> None:
    """Retention deletes marked events over an hour before `proven_until`, except of orders open or active since."""
    journal = opened()
    deal_with(
        journal,
        [
            state("open", T),
            state("done", T),
            fill("done", T + 1),
            state("active", T),
            funding(T),
            health(),
            fill("active", T + 80 * MINUTE),
        ],
        T,
    )
    journal.append([fill("unmarked", T), transfer(T)], None)
    journal.append([], T + 2 * HOUR)
    assert serials(journal) == [1, 4, 7, 8, 9]
    assert verify(path) == []
    journal.mark(9)
    journal.append([state("open", T + 2 * HOUR, K.CANCEL_ACK, "CANCELED")], T + 2 * HOUR + MINUTE)
    assert serials(journal) == [1, 4, 7, 10]
    journal.mark(10)
    journal.append([], T + 4 * HOUR)
    assert serials(journal) == []
    assert verify(path) == []


def test_retention_waits_for_proof(opened: Opener) -> None:
    """Without a `proven_until` no event is deleted, even an old one."""
    journal = opened()
    deal_with(journal, [fill(str(n), T + n * HOUR) for n in range(5)])
    assert serials(journal) == [1, 2, 3, 4, 5]


def test_the_file_is_bounded(opened: Opener, path: Path) -> None:
    """The number of entries stays bounded while events are marked and `proven_until` moves."""
    journal = opened(retain=900)
    sizes = []
    for minute in range(40):
        now = T + minute * MINUTE
        batch = [event for n in range(200) for event in (fill(f"{minute}-{n}", now), funding(now + n))]
        journal.append(batch, now)
        journal.mark(journal.read(0, 100_000)[-1].serial)
        sizes.append(summary(path).entries)
    assert max(sizes) <= 400 * 17
    assert verify(path) == []


def test_a_batch_is_stored_whole_or_not_at_all(opened: Opener, path: Path) -> None:
    """A disk that is full in the middle of a batch raises, and stores neither its events nor its `proven_until`."""
    journal = opened(max_bytes=100_000)
    deal_with(journal, [fill("1", T)], T)
    with pytest.raises(StreamStopped, match="cannot be used any more: database or disk is full"):
        journal.append([fill(str(n), T) for n in range(2, 2000)], T + 1)
    assert serials(journal) == [1]
    assert resumed(journal) == (fill("1", T),)
    assert [entry.serial for entry in journal.append([fill("2", T)], T + 2)] == [2]
    checkpoint = opened().resume()
    assert checkpoint == Checkpoint(began=T, proven_until=T + 2, events=(fill("1", T), fill("2", T)))
    assert verify(path) == []


def test_an_interruption_leaves_nothing_half_done(opened: Opener, path: Path) -> None:
    """An exception within a transaction undoes it, and the journal can still be used."""

    class Interrupting(list[ExchangeEvent]):
        def __iter__(self) -> Iterator[ExchangeEvent]:
            yield from super().__iter__()
            raise KeyboardInterrupt

    journal = opened()
    with pytest.raises(KeyboardInterrupt):
        journal.append(Interrupting([fill("1", T)]), None)
    with pytest.raises(StreamStopped, match="too large"):
        journal.append([fill("1", T)], 1 << 80)
    deal_with(journal, [fill("1", T)], T)
    assert serials(journal) == [1]
    assert verify(path) == []


def test_absurd_times(opened: Opener) -> None:
    """An exchange time too large for an integer of SQLite is stored and resumed."""
    journal = opened()
    journal.append([funding(1 << 70), fill("1", -(1 << 70))], T)
    assert resumed(journal) == (funding(1 << 70), fill("1", -(1 << 70)))


def test_second_opener_is_refused(opened: Opener, path: Path) -> None:
    """A journal in use is refused to a second opener, by any name and in any process, but may be read."""
    journal = opened()
    with pytest.raises(JournalRefused, match="in use by another stream"):
        SqliteJournal(path)
    link = path.with_name("link.journal")
    link.symlink_to(path)
    with pytest.raises(JournalRefused, match="in use by another stream"):
        SqliteJournal(link)
    code = "import sys; from listenkey.adapters.journal import SqliteJournal; SqliteJournal(sys.argv[1])"
    other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "JournalRefused" in other.stderr
    assert "in use by another stream" in other.stderr
    assert summary(path).entries == 0
    journal.append([health()], None)
    journal.close()
    SqliteJournal(path).close()


def test_a_closed_journal_says_so(opened: Opener) -> None:
    """A journal may be closed twice, and raises an error if it is used after that."""
    journal = opened()
    journal.append([health()], None)
    journal.close()
    journal.close()
    for use in (journal.unmarked, lambda: journal.append([health()], None), lambda: journal.mark(1)):
        with pytest.raises(StreamStopped, match="is closed"):
            use()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("PRAGMA user_version = 4", "written by another listenkey (schema 4, this one has schema 3)"),
        ("PRAGMA application_id = 7", "not a journal of listenkey"),
        ("DELETE FROM state", "damaged: it has lost its state"),
        ("DELETE FROM owner", "damaged: it has lost its owner"),
    ],
)
def test_another_schema_is_refused(opened: Opener, path: Path, statement: str, message: str) -> None:
    """A file of a newer version, of another program, or without its state or owner is refused in one line."""
    opened().close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()
    with pytest.raises(ListenKeyError) as caught:
        SqliteJournal(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"\x00" * 4096])
def test_a_foreign_file_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    """A file that is no journal is refused and not changed."""
    path.write_bytes(content)
    with pytest.raises(JournalRefused, match="not a journal of listenkey"):
        SqliteJournal(path)
    assert path.read_bytes() == content


def test_another_database_is_refused_and_left_alone(path: Path) -> None:
    """The database of another program is refused and not changed, even without an application id."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(JournalRefused, match="not a journal of listenkey"):
        SqliteJournal(path)
    assert path.read_bytes() == content


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    """A path that is a directory, or is in a missing one, is refused."""
    for wrong in (tmp_path, tmp_path / "missing" / "account.journal"):
        with pytest.raises(JournalRefused, match="cannot be"):
            SqliteJournal(wrong)


@pytest.mark.parametrize("options", [{"durability": "none"}, {"retain": 10}, {"retain": float("inf")}])
def test_wrong_options(path: Path, options: dict[str, object]) -> None:
    """An option with an invalid value is refused before a file is created."""
    with pytest.raises(ValueError, match=next(iter(options))):
        SqliteJournal(path, **options)  # type: ignore[arg-type]
    assert not path.exists()


def test_a_damaged_entry_is_not_skipped(opened: Opener, path: Path) -> None:
    """A damaged entry raises an error, since skipping it would lose an event."""
    opened().append([fill("1", T)], T)
    journal = opened()
    journal._connection.execute("UPDATE events SET body = x'c1'")
    for use in (journal.unmarked, journal.resume, lambda: journal.read(0, 1)):
        with pytest.raises(StreamStopped, match="damaged"):
            use()


def test_when_orders_were_asked_for_outlives_the_process(opened: Opener, path: Path) -> None:
    """Questions about orders are stored in the file, and each list replaces the one before."""
    journal = opened()
    assert isinstance(journal, QuestionStore)
    assert journal.questions() == []
    first, second = Question(T, "BTC-USDT", "1", denied=True), Question(T, "ETH-USDT", "2", denied=False)
    journal.keep_questions([first, second])
    assert opened().questions() == [first, second]
    opened().keep_questions([second])
    assert opened().questions() == [second]
    assert verify(path) == []


def test_durability(opened: Opener) -> None:
    """With `durability="power"` each transaction is synced to the disk, with `"process"` it is not."""
    levels = {"process": (1,), "power": (2,)}
    for durability, level in levels.items():
        journal = opened(durability=durability)
        journal.append([health()], None)
        assert journal._connection.execute("PRAGMA synchronous").fetchone() == level
        assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
