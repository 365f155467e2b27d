"""The comparison of the truth with a client's table: which values are equal, and which differ."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .comparison import Difference, View, differences, same
from .frames import table
from .table import Moment, Row, Silence, Table, Value, amount, keyed, numbered


def compared(truth: Table, theirs: Table) -> list[tuple[str, str, Value, Value]]:
    """Return the differences of two tables: key, field, and both values."""
    return [each[3:] for each in differences(View("a client", "a call", "order", truth, theirs))]


@pytest.mark.parametrize(
    ("true", "said"),
    [
        (Decimal("0.10"), Decimal("0.1")),
        (1795980057743, Moment(1795980057743, 1)),
        (1795980057743, Moment(1795980057000, 1000)),
        (None, None),
        ("FILLED", "FILLED"),
        (Silence.SILENT, Decimal(1)),
    ],
)
def test_the_same(true: Value, said: Value) -> None:
    """Amounts are compared by value, times are cut to the client's grain, and a value without truth is not compared."""
    assert same(true, said)


@pytest.mark.parametrize(
    ("true", "said"),
    [
        (Decimal("100.00000000"), Decimal("100.00000001")),
        (Decimal("99.81"), Decimal("-99.81")),
        (1795980057743, Moment(1795980058000, 1000)),
        (1795980057743, Moment(1795980057743, 1000)),
        (1795980057743, 1795980057743.0),
        (Decimal(0), None),
        (None, Decimal(0)),
        (True, None),
        (True, 1),
        ("expired", "EXPIRED"),
    ],
)
def test_not_the_same(true: Value, said: Value) -> None:
    """Differences are: the last digit, a sign, a time that is rounded or not cut, and a missing value."""
    assert not same(true, said)


def test_every_row_and_field_counts() -> None:
    """A row on one side only is a difference, and each unequal field too."""
    truth: Table = {"1": {"qty": Decimal(1), "side": "BUY"}, "2": {"qty": Decimal(2), "side": "BUY"}}
    theirs: Table = {"1": {"qty": Decimal(3), "side": "SELL"}, "4": {"qty": Decimal(4)}}
    assert compared(truth, theirs) == [
        ("1", "qty", Decimal(1), Decimal(3)),
        ("1", "side", "BUY", "SELL"),
        ("2", "row", "qty=2 side=BUY", None),
        ("4", "row", None, "qty=4"),
    ]


def test_a_difference_says_who_was_asked() -> None:
    """A difference has the client, the call and the subject."""
    (found,) = differences(View("ccxt", "fetch_balance", "wallet", {"USDT": {"balance": Decimal(1)}}, {}))
    assert found == Difference("ccxt", "fetch_balance", "wallet", "USDT", "row", "balance=1", None)


def test_a_field_that_the_truth_does_not_have_is_a_mistake() -> None:
    """A field that the truth lacks raises an error, instead of being left out."""
    with pytest.raises(KeyError, match="lever"):
        compared({"1": {"qty": Decimal(1)}}, {"1": {"lever": 5}})


def test_amounts_are_what_is_written() -> None:
    """A float is taken as the number that is printed for it, not as its binary value."""
    assert amount(64012.12345678) == amount("64012.12345678") == Decimal("64012.12345678")
    assert amount(1e-05) == Decimal("0.00001")


def test_fills_without_an_id_are_distinguished_by_what_they_say() -> None:
    """Two fills of an order are paired in any order, and a missing or additional one is noticed."""

    def fill(qty: str) -> Row:
        return {"order_id": "7", "qty": Decimal(qty), "price": Decimal(10), "fee": Decimal(0)}

    truth = numbered([fill("1"), fill("2"), fill("1")])
    assert compared(truth, numbered([fill("2"), fill("1"), fill("1")])) == []
    assert [row[:2] for row in compared(truth, numbered([fill("1"), fill("2")]))] == [("7#2", "qty"), ("7#3", "row")]


def test_a_row_that_comes_twice_is_seen() -> None:
    """A list with an order twice raises an error."""
    with pytest.raises(ValueError, match="7 stands there twice"):
        keyed([("7", {"side": "BUY"}), ("8", {}), ("7", {"side": "BUY"})])


def test_every_frame_counts_whatever_its_event_is_called() -> None:
    """A frame that was sent twice must come twice, and a missing one is a difference."""
    order = {"i": 7, "x": "TRADE", "X": "FILLED", "z": "1"}
    frames = [{"e": name, "o": order} for name in ("ORDER_TRADE_UPDATE", "TRADE_UPDATE", "TRADE_UPDATE")]
    sent = table(frames)
    assert len(sent) == len(frames)
    assert compared(sent, table(frames)) == []
    assert [row[:2] for row in compared(sent, table(frames[:2]))] == [("7 TRADE FILLED 1 #3", "row")]
    assert {row[1] for row in compared(table(frames[1:2]), table(frames[:1]))} == {"event", "text"}
