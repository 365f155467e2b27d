"""Binance's frames are read field by field."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.venues.binance.usdm import UsdmDialect
from listenkey.core.dialect import SettlingDialect, SilentDialect
from listenkey.core.reports import OrderReport, Unrecognised

from ..plain import plain
from .samples import order

DIALECT = UsdmDialect()


def frame(**fields: Any) -> str:
    return json.dumps(order(**fields))


def report_of(text: str) -> OrderReport:
    (report,) = DIALECT.decode(text)
    assert isinstance(report, OrderReport)
    return report


FORCED = [
    ("autoclose-17", "LIMIT", "TRADE", True),
    ("autoclose-17", "LIMIT", "NEW", True),
    ("adl_autoclose", "LIMIT", "CALCULATED", True),
    ("adl_autoclose_12", "LIMIT", "TRADE", True),
    ("adl_autoclose-12", "LIMIT", "TRADE", True),
    ("settlement_autoclose-3", "MARKET", "CALCULATED", False),
    ("delivery_autoclose-3", "MARKET", "TRADE", False),
    ("delivery-3", "MARKET", "CALCULATED", False),
    ("mine", "LIQUIDATION", "TRADE", True),
    ("mine", "LIMIT", "CALCULATED", True),
    ("my-autoclose-17", "LIMIT", "TRADE", False),
    ("", "MARKET", "TRADE", False),
]


@pytest.mark.parametrize(("client_order_id", "kind", "execution", "liquidation"), FORCED)
def test_forced_orders(client_order_id: str, kind: str, execution: str, liquidation: bool) -> None:
    """A liquidation is recognised by the venue's own client order ids, and else by the order's type or execution."""
    assert report_of(frame(c=client_order_id, o=kind, x=execution)).liquidation is liquidation


@pytest.mark.parametrize("execution", ["TRADE", "CALCULATED", "NEW", "SOMETHING", None])
def test_a_fill_is_what_has_a_quantity(execution: str | None) -> None:
    """A frame with a quantity and a trade is a fill with any execution type, since forced closes were not captured."""
    report = report_of(frame(x=execution))
    assert (report.last_qty, report.trade_id, report.fee, report.realized_pnl) == (
        Decimal(1),
        "9",
        Decimal("0.01"),
        Decimal("0.5"),
    )


@pytest.mark.parametrize("execution", ["NEW", "CANCELED", "EXPIRED", "AMENDMENT"])
def test_no_fill_has_no_costs(execution: str) -> None:
    """A frame that is no fill has no fee and no trade, even if their fields are present."""
    report = report_of(frame(x=execution, X="PARTIALLY_FILLED", l="0", L="0", n="0", t=0, rp="0"))
    assert (report.last_qty, report.last_price, report.trade_id, report.fee, report.realized_pnl) == (
        Decimal(0),
        *[None] * 4,
    )


@pytest.mark.parametrize("trade", [0, -1, None])
def test_a_fill_without_a_trade(trade: int | None) -> None:
    """A fill without a valid trade id has None as id, and is still a fill."""
    report = report_of(frame(t=trade))
    assert (report.last_qty, report.trade_id) == (Decimal(1), None)


@pytest.mark.parametrize("absent", [{"n": None, "N": None}, {"n": ""}])
def test_a_fee_that_is_not_said(absent: dict[str, Any]) -> None:
    """A fee that is absent is None, not zero."""
    assert report_of(frame(**absent)).fee is None


STATUS = [
    ("NEW", "0", "NEW"),
    ("NEW", "1", "PARTIALLY_FILLED"),
    ("NEW", "2", "FILLED"),
    ("NEW_ADL", "0", "NEW"),
    ("NEW_INSURANCE", "2", "FILLED"),
    ("EXPIRED_IN_MATCH", "1", "EXPIRED"),
    ("CANCELED", "1", "CANCELED"),
    ("REJECTED", "0", "REJECTED"),
    ("HALTED", "1", "HALTED"),
]


@pytest.mark.parametrize(("word", "done", "status"), STATUS)
def test_status(word: str, done: str, status: str) -> None:
    """A known status becomes the library's, by the executed quantity if needed, and an unknown one is kept."""
    assert report_of(frame(X=word, z=done, l="0")).status == status


@pytest.mark.parametrize("kind", ["MARKET", "STOP_MARKET", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
def test_market_orders_have_no_price(kind: str) -> None:
    """A market order has no price, whatever its field contains."""
    assert report_of(frame(o=kind, p="12")).price is None


@pytest.mark.parametrize(("price", "read"), [("12", Decimal(12)), ("0", None), ("", None), ("NaN", None)])
def test_price(price: str, read: Decimal | None) -> None:
    """A price that is absent or invalid is None, not zero."""
    assert report_of(frame(p=price)).price == read


@pytest.mark.parametrize(
    ("envelope", "inner", "time"),
    [({"T": 3}, {"T": 4}, 4), ({"T": 3}, {"T": 0}, 3), ({"T": 0}, {"T": None}, 5), ({"T": 0, "E": 0}, {"T": 0}, None)],
)
def test_time(envelope: dict[str, Any], inner: dict[str, Any], time: int | None) -> None:
    """The time is the trade's, else the envelope's, else the event's."""
    assert report_of(json.dumps(order(**inner) | envelope)).exchange_ts == time


@pytest.mark.parametrize("odd", ["1,2", "1\n", " 1", "1_0", "Infinity", "", "1e400", None, True, [], {}])
@pytest.mark.parametrize("name", ["p", "ap", "L", "n", "rp"])
def test_one_amount_that_is_none_leaves_the_others_alone(name: str, odd: Any) -> None:
    """An amount that cannot be read is None, and the other amounts are read as usual."""
    usual, report = report_of(frame()), report_of(frame(**{name: odd}))
    fields = {"p": "price", "ap": "average_price", "L": "last_price", "n": "fee", "rp": "realized_pnl"}
    for each, field in fields.items():
        assert getattr(report, field) == (None if each == name else getattr(usual, field))


@pytest.mark.parametrize("number", [12, 12.5, 1e2])
def test_an_amount_may_be_a_number(number: float) -> None:
    """An amount that is a JSON number is read exactly."""
    assert report_of(frame(p=number)).price == Decimal(str(number))


DOUBTFUL = [
    {"s": ""},
    {"i": 0},
    {"X": None},
    {"q": "-1"},
    {"q": "x"},
    {"z": None},
    {"l": None},
    {"l": "3", "z": "2"},
    {"l": "-1"},
]


@pytest.mark.parametrize("fields", DOUBTFUL)
def test_an_order_that_cannot_be_trusted(fields: dict[str, Any]) -> None:
    """An order frame with a wrong field is doubtful as a whole, and names its order if symbol and id are readable."""
    (report,) = DIALECT.decode(frame(**fields))
    assert isinstance(report, Unrecognised)
    assert report.doubtful
    assert (report.order is None) is bool(fields.keys() & {"s", "i"})


def test_what_a_socket_asks() -> None:
    """Each socket asks for its subscriptions with its own number, and the answer acknowledges it."""
    (opening,) = DIALECT.opening(4)
    assert json.loads(opening.text) == {"method": "LIST_SUBSCRIPTIONS", "id": 4}
    assert DIALECT.probe(4) == (opening,)
    assert DIALECT.decode('{"result":["x@ACCOUNT_UPDATE"],"id":4}') == DIALECT.decode('{"result":null,"id":4}')
    assert plain(DIALECT.decode('{"result":null,"id":4}')) == [{"report": "Acknowledged", "id": opening.id}]


def test_properties() -> None:
    """The dialect has its environment's name, is silent, and does not let the account's shared key be deleted."""
    assert UsdmDialect("binance-usdm-testnet").name == "binance-usdm-testnet"
    assert UsdmDialect(cumulative_costs=True).cumulative_costs
    assert not DIALECT.cumulative_costs
    assert isinstance(DIALECT, SilentDialect)
    assert not DIALECT.counts_available
    assert DIALECT.time_grain_ms == 1
    assert DIALECT.policy["delete_keys"] == 0


@pytest.mark.parametrize(
    ("symbol", "fee_asset", "found"),
    [
        ("BTCUSDT", "BNB", "USDT"),
        ("BTCUSDC", "BNB", "USDC"),
        ("ETHBTC", "BNB", "BTC"),
        ("BTCUSDT_261225", "BNB", "USDT"),
        ("BTCUSDT", None, "USDT"),
        ("BTCUSDT", "USDT", None),
        ("BTCUSDT", "BNFCR", None),
        ("XYZ", "BNB", None),
    ],
)
def test_the_pnl_is_of_the_symbols_asset_where_the_fee_is_paid_in_bnb(
    symbol: str, fee_asset: str | None, found: str | None
) -> None:
    """If the fee is paid in BNB, the PnL is in the symbol's settlement asset, which is read from its name."""
    assert isinstance(DIALECT, SettlingDialect)
    assert DIALECT.settlement(symbol, fee_asset) == found
