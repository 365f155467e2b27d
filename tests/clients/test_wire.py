"""The venue's rows, which clients pass on, are translated to the names of the truth."""

from __future__ import annotations

from decimal import Decimal

from . import wire
from .table import Moment

ORDER = {
    "orderId": 2127123098590248964,
    "clientOrderId": "",
    "symbol": "BTC-USDT",
    "side": "BUY",
    "positionSide": "BOTH",
    "type": "MARKET",
    "status": "CANCELLED",
    "price": "64000",
    "origQty": "0.0030",
    "executedQty": "0",
    "avgPrice": "0",
    "commission": "-0.01",
    "profit": "0",
    "time": 1795980641000,
    "updateTime": 1795980642000,
}


def test_a_row_of_orders() -> None:
    """A fee is a cost, an order in one-way mode has no position side, one without fills no average; ids are exact."""
    (key, row), *others = wire.orders([ORDER], wire.SECOND).items()
    assert others == []
    assert key == "2127123098590248964"
    assert row["status"] == "CANCELED"
    assert (row["position_side"], row["client_order_id"], row["average_price"]) == (None, None, None)
    assert (row["fee"], row["qty"]) == (Decimal("0.01"), Decimal("0.003"))
    assert row["updated"] == Moment(1795980642000, 1000)
    assert "trigger_order_id" not in row


def test_the_order_that_triggered_it() -> None:
    """A trigger order id of 0 is none."""
    rows = [{**ORDER, "triggerOrderId": 0}, {**ORDER, "orderId": 8, "triggerOrderId": 2127123098590248964}]
    found = wire.orders(rows, wire.SECOND)
    assert [row["trigger_order_id"] for row in found.values()] == [None, "2127123098590248964"]


def test_a_row_of_fills() -> None:
    """`volume` is the quantity and `qty` its value; the time with an offset is right, and that with a Z is not."""
    said = {
        "tradeId": "511752240",
        "orderId": "7",
        "symbol": "BTC-USDT",
        "side": "sell",
        "positionSide": "short",
        "volume": "0.0031",
        "qty": "198.40",
        "price": "64000",
        "commission": "-0.0992",
        "commissionAsset": "USDT",
        "filledTm": "2026-11-30T03:20:41Z",
        "filledTime": "2026-11-30T03:20:41.000+0800",
    }
    assert wire.fills([said]) == {
        "511752240": {
            "order_id": "7",
            "trade_id": "511752240",
            "symbol": "BTC-USDT",
            "side": "SELL",
            "position_side": "SHORT",
            "qty": Decimal("0.0031"),
            "price": Decimal(64000),
            "fee": Decimal("0.0992"),
            "fee_asset": "USDT",
            "ts": Moment(1795980041000, 1000),
        }
    }


def test_a_sign_is_kept() -> None:
    """A negative amount of a short stays negative."""
    said = {
        "symbol": "A",
        "positionSide": "SHORT",
        "positionAmt": "-2",
        "avgPrice": "3",
        "isolated": False,
        "leverage": 5,
    }
    assert wire.positions([said])["A SHORT"]["qty"] == Decimal(-2)


def test_an_asset_that_was_never_held_is_no_wallet() -> None:
    """An asset with empty amounts, which was never held, is no wallet."""
    rows = [{"asset": "USDT", "balance": "99766.13609393"}, {"asset": "USDC", "balance": ""}]
    assert wire.wallets(rows) == {"USDT": {"balance": Decimal("99766.13609393")}}
