"""BingX's frames are read field by field."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core.reports import AccountReport, OrderReport, Unrecognised

from .samples import DIALECTS

SWAP, SPOT = DIALECTS["swap"], DIALECTS["spot"]


MARKET_LIKE = [
    "MARKET",
    "STOP_MARKET",
    "TAKE_PROFIT_MARKET",
    "TRIGGER_MARKET",
    "TRAILING_STOP_MARKET",
    "TRAILING_TP_SL",
    "TRIGGER_REVERSE_MARKET",
    "TAKE_STOP_MARKET",
    "LIQUIDATION",
]
PRICED = ["LIMIT", "STOP", "TAKE_PROFIT", "TRIGGER_LIMIT", "TAKE_STOP_LIMIT", "SOMETHING_NEW"]


def order(**fields: Any) -> bytes:
    body = {"s": "BTC-USDT", "i": 7, "S": "BUY", "o": "LIMIT", "q": "2", "p": "10", "X": "NEW", "z": "0", "ps": "LONG"}
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": 5, "o": {**body, **fields}}).encode()


def report_of(frame: bytes) -> OrderReport:
    (report,) = SWAP.decode(frame)
    assert isinstance(report, OrderReport)
    return report


@pytest.mark.parametrize("kind", MARKET_LIKE + PRICED)
def test_protective_price(kind: str) -> None:
    """`p` is the price of an order, except of those that execute at the market, where it is protective."""
    report = report_of(order(o=kind, p="437.12"))
    assert report.order_type == kind
    assert report.price == (None if kind in MARKET_LIKE else Decimal("437.12"))


@pytest.mark.parametrize("price", ["", "0.00000000", "NaN", None, "1e400", [], True])
def test_price_that_is_none(price: Any) -> None:
    """A price that is absent or invalid is None, not zero."""
    assert report_of(order(p=price)).price is None


STATUS = {
    "NEW": "NEW",
    "PENDING": "NEW",
    "Pending": "NEW",
    "WORKING": "NEW",
    "CANCELLED": "CANCELED",
    "CANCELED": "CANCELED",
    "FAILED": "REJECTED",
    "EXPIRED": "EXPIRED",
    "Unknown": "Unknown",
    "RUNNING": "RUNNING",
    "HALTED": "HALTED",
}


@pytest.mark.parametrize(("word", "status"), STATUS.items())
def test_status(word: str, status: str) -> None:
    """A known status becomes the library's, and an unknown one is kept."""
    assert report_of(order(X=word)).status == status


TIMES = [
    ({"T": 3}, {"T": 4}, 4),
    ({"T": 3}, {"T": 0}, 3),
    ({"T": 0}, {"T": 0}, 5),
    ({}, {}, 5),
    ({"T": "3"}, {}, 3),
    ({"T": -1}, {"T": 10**30}, 5),
    ({"E": None}, {}, None),
]


@pytest.mark.parametrize(("envelope", "inner", "time"), TIMES)
def test_time(envelope: dict[str, Any], inner: dict[str, Any], time: int | None) -> None:
    """The time is the trade's, else the update's, else the event's."""
    content = json.loads(order(**inner)) | envelope
    assert report_of(json.dumps(content).encode()).exchange_ts == time


def test_case_of_keys() -> None:
    """`s` and `S`, `l` and `L`, `n` and `N` are different fields."""
    report = report_of(order(s="A-B", S="SELL", l="1", L="9", n="-0.5", N="USDT", z="1", X="PARTIALLY_FILLED"))
    assert (report.symbol, report.side) == ("A-B", "SELL")
    assert (report.last_qty, report.last_price) == (Decimal(1), Decimal(9))
    assert (report.fee, report.fee_asset) == (Decimal("0.5"), "USDT")


def test_spot_order_without_status() -> None:
    """A spot order's frame without its status is doubtful."""
    (report,) = SPOT.decode('{"e":"executionReport","E":5,"s":"A-B","i":1,"z":0}')
    assert isinstance(report, Unrecognised)
    assert report.doubtful


def test_exact_ids() -> None:
    """Ids beyond 2^53 are exact, as a number and as text."""
    big = 1767767539205742593
    assert report_of(order(i=big)).order_id == report_of(order(i=str(big))).order_id == str(big)


def test_opening() -> None:
    """Nothing is sent on the swap; spot subscribes twice, with ids made of the socket's number."""
    assert SWAP.opening(4) == ()
    first, second = SPOT.opening(4)
    assert json.loads(first.text) == {"id": first.id, "reqType": "sub", "dataType": "spot.executionReport"}
    assert json.loads(second.text) == {"id": second.id, "reqType": "sub", "dataType": "ACCOUNT_UPDATE"}
    assert len({ident for socket in (4, 5) for ident, _ in SPOT.opening(socket)}) == 4


def test_properties() -> None:
    """The dialects have their names, and read costs per fill by default."""
    assert [dialect.name for dialect in DIALECTS.values()] == ["bingx-swap", "bingx-spot"]
    assert SwapDialect("bingx-swap-vst", cumulative_costs=True).cumulative_costs
    for dialect in DIALECTS.values():
        assert not dialect.cumulative_costs
        assert dialect.policy == {}


@pytest.mark.parametrize(
    ("rows", "said", "one_way"),
    [
        ([("BTC-USDT", "BOTH", "0")], [(None, "0")], True),
        ([("BTC-USDT", "BOTH", "-2")], [("SHORT", "2")], True),
        ([("BTC-USDT", "BOTH", "0"), ("BTC-USDT", "LONG", "2")], [("LONG", "2")], False),
        ([("BTC-USDT", "SHORT", "0"), ("BTC-USDT", "BOTH", "0")], [("SHORT", "0")], False),
        ([("ETH-USDT", "BOTH", "0"), ("BTC-USDT", "LONG", "2")], [("LONG", "2")], False),
    ],
)
def test_beside_a_side_of_its_symbol_both_is_no_position(
    rows: list[tuple[str, str, str]], said: list[tuple[str | None, str]], one_way: bool
) -> None:
    """Beside rows with a side the rows of BOTH are no positions, and do not mean one-way mode."""
    held = [
        {"s": symbol, "pa": amount, "ep": "1", "up": "0", "mt": "cross", "ps": side} for symbol, side, amount in rows
    ]
    frame = json.dumps({"e": "ACCOUNT_UPDATE", "E": 1758608899350, "a": {"m": "ORDER", "B": [], "P": held}}).encode()
    (report,) = SwapDialect().decode(frame)
    assert isinstance(report, AccountReport)
    assert [(row.side, str(row.qty)) for row in report.positions] == said
    assert report.one_way is one_way


@pytest.mark.parametrize("amount", ["2", "much"])
def test_what_names_a_side_and_holds_something_of_none_is_read_about(amount: str) -> None:
    """A frame with a held position of BOTH beside one with a side is doubtful, because no account has both modes."""
    rows = [
        {"s": "BTC-USDT", "pa": pa, "ep": "1", "up": "0", "mt": "cross", "ps": ps}
        for pa, ps in ((amount, "BOTH"), ("1", "LONG"))
    ]
    frame = json.dumps({"e": "ACCOUNT_UPDATE", "E": 1758608899350, "a": {"m": "ORDER", "B": [], "P": rows}}).encode()
    (report,) = SwapDialect().decode(frame)
    assert isinstance(report, Unrecognised)
    assert report.doubtful
