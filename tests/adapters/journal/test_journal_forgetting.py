"""`forget` deletes orders or everything from a journal, which stays valid."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from listenkey.adapters.journal import Forgotten, JournalRefused, SqliteJournal, forget, show, summary, verify
from listenkey.core.events import ExchangeEvent
from listenkey.core.reports import OrderRef
from listenkey.ports.questions import Question

from .test_journal_inspection import T, fill, health, order, revised

ONE, TWO = OrderRef("BTC-USDT", "1"), OrderRef("BTC-USDT", "2")
EVENTS: Sequence[ExchangeEvent] = (
    *(order("1"), fill("1", "0.4", "0.4"), order("2"), health(), fill("2", "1", "1")),
    revised(fill("1", "0.4", "0.4")),
)
"""The first three are marked."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "account.journal"
    with closing(SqliteJournal(path)) as journal:
        journal.claim("bingx-swap", "open-api.bingx.com", "api key")
        journal.recognise("user")
        journal.begin(T)
        journal.append(EVENTS, T)
        journal.mark(3)
    return path


def serials(path: Path) -> list[int]:
    return [entry.serial for entry in show(path)]


def test_an_order(path: Path) -> None:
    """All events of an order are deleted and the unmarked ones counted; other entries stay, and no serial is reused."""
    assert forget(path, ["1"]) == [Forgotten(ONE, 3, 1)]
    assert serials(path) == [3, 4, 5]
    assert verify(path) == []
    with closing(SqliteJournal(path)) as journal:
        assert [entry.serial for entry in journal.unmarked()] == [4, 5]
        resumed = journal.resume()
        assert resumed is not None
        assert {getattr(event, "order_id", "2") for event in resumed.events} == {"2"}
        assert [entry.serial for entry in journal.append([order("3")], T)] == [7], "no serial is given twice"
    assert verify(path) == []


def test_several_orders_or_none(path: Path) -> None:
    """An order is named by its id, with or without its symbol; if one of them is unknown, nothing is deleted."""
    with pytest.raises(JournalRefused, match="the journal has no order 7"):
        forget(path, ["1", "7"])
    assert serials(path) == [1, 2, 3, 4, 5, 6]
    assert forget(path, ["BTC-USDT:1", "2", "1"]) == [Forgotten(ONE, 3, 1), Forgotten(TWO, 2, 1)]
    assert serials(path) == [4]
    assert verify(path) == []


def test_no_order_at_all(path: Path) -> None:
    """An empty list of orders deletes nothing."""
    assert forget(path, []) == []
    assert serials(path) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("orders", [["1"], None], ids=["one", "all"])
def test_what_was_asked_of_it_counts_without_its_name(path: Path, orders: Sequence[str] | None) -> None:
    """Questions about forgotten orders are kept, because the venue has counted them, but without the orders' names."""
    with closing(SqliteJournal(path)) as journal:
        journal.claim("bingx-swap", "open-api.bingx.com", "api key")
        journal.keep_questions([Question(T, *ONE, denied=True), Question(T + 1, *TWO, denied=False)])
    forget(path, orders)
    with closing(SqliteJournal(path)) as journal:
        one, two = journal.questions()
    assert one == Question(T, "", "", denied=True)
    assert two == Question(T + 1, *(TWO if orders else ("", "")), denied=False)


def test_an_empty_file_stays_empty(tmp_path: Path) -> None:
    """An empty file is refused as no journal, and stays empty."""
    path = tmp_path / "empty"
    path.touch()
    with pytest.raises(JournalRefused, match="not a journal"):
        forget(path, None)
    assert path.stat().st_size == 0


def test_one_id_of_two_symbols(path: Path) -> None:
    """An order id that two symbols have is refused, unless it is given with its symbol."""
    with closing(SqliteJournal(path)) as journal:
        journal.append([msgspec.structs.replace(order("1"), symbol="ETH-USDT", event_id="order:ETH")], T)
    with pytest.raises(JournalRefused, match=r"more than one order 1: BTC-USDT:1, ETH-USDT:1"):
        forget(path, ["1"])
    assert forget(path, ["ETH-USDT:1"]) == [Forgotten(OrderRef("ETH-USDT", "1"), 1, 1)]


def test_everything(path: Path) -> None:
    """After everything was forgotten the journal still belongs to its account, begins anew, and reuses no serial."""
    forget(path, ["2"])
    assert forget(path, None) == [Forgotten(None, 4, 2)]
    assert serials(path) == []
    assert summary(path)[:3] == (None, None, 6)
    assert verify(path) == []
    with closing(SqliteJournal(path)) as journal:
        with pytest.raises(JournalRefused):
            journal.claim("bingx-swap-vst", "open-api-vst.bingx.com", "api key")
        journal.claim("bingx-swap", "open-api.bingx.com", "api key")
        assert journal.recognised
        assert journal.resume() is None
        journal.begin(T + 1)
        assert [entry.serial for entry in journal.append([order("3")], T + 1)] == [7]
    assert verify(path) == []


def test_not_while_a_stream_writes(path: Path) -> None:
    """`forget` refuses a journal in use, and a file that does not exist, which it does not create."""
    with closing(SqliteJournal(path)), pytest.raises(JournalRefused, match="in use by another stream"):
        forget(path, ["1"])
    with pytest.raises(JournalRefused, match="there is no such journal"):
        forget(path.with_name("nowhere"), None)
    assert not path.with_name("nowhere").exists()
    assert serials(path) == [1, 2, 3, 4, 5, 6]
