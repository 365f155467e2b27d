"""Rows of REST answers with the venue's quirks: mislabelled times, spellings, empty strings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from types import MappingProxyType
from typing import Any, Literal

from .account import BalanceView
from .amounts import ZERO, eight, plain
from .book import Income
from .orders import TRIGGERS, Fill, Order
from .terms import Leg, Working

WORKING_TYPES: Mapping[Working, str] = MappingProxyType(
    {"mark": "MARK_PRICE", "last": "CONTRACT_PRICE", "index": "INDEX_PRICE"}
)
"""The venue's names of the price that triggers a conditional order."""
Row = dict[str, Any]
"""An object with JSON values; a decimal becomes a number."""
IncomeTrades = Literal["named", "foreign", "bare"]
"""The `tradeId` of a fee or PnL: that of the fill, an id of its own (as captured for funding), or empty."""
_CENT = Decimal("0.01")
MAINTENANCE = Decimal("0.004")
"""The maintenance margin, as a share of a position's value."""


def wall_time(ms: int) -> str:
    """The time on the venue's wall clock, UTC+8, cut to the second and without its offset."""
    return (datetime.fromtimestamp(ms // 1000, UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S")


def fill_row(fill: Fill, quote_so_far: Decimal) -> Row:
    """A row of `fillHistory` as documented: `volume` is the quantity, `qty` its value, `filledTm` is no UTC."""
    return {
        "filledTm": f"{wall_time(fill.ts)}Z",
        "volume": plain(fill.qty),
        "price": plain(fill.price),
        "qty": plain((fill.qty * fill.price).quantize(_CENT, ROUND_DOWN)),
        "quoteQty": f"{quote_so_far:.2f}",
        "commission": plain(-fill.fee),
        "commissionAsset": fill.asset,
        "orderId": str(fill.order_id),
        "tradeId": str(fill.trade_id),
        "filledTime": f"{wall_time(fill.ts)}.000+0800",
        "symbol": fill.symbol,
        "role": "maker" if fill.maker else "taker",
        "side": fill.side.lower(),
        "positionSide": fill.position_side.lower(),
    }


def newer_fill_row(fill: Fill) -> Row:
    """A row of `fillHistory` in the newer shape: `qty` is the quantity, and each row has its PnL."""
    return {
        "symbol": fill.symbol,
        "orderId": str(fill.order_id),
        "tradeId": str(fill.trade_id),
        "side": fill.side,
        "positionSide": fill.position_side,
        "price": plain(fill.price),
        "qty": plain(fill.qty),
        "commission": plain(-fill.fee),
        "commissionAsset": fill.asset,
        "realisedPNL": plain(fill.pnl),
        "role": "maker" if fill.maker else "taker",
        "filledTime": f"{wall_time(fill.ts)}+08:00",
    }


def order_fill_row(fill: Fill, client_id: str) -> Row:
    """A row of `allFillOrders`, which has neither trade id nor side."""
    return {
        "filledTm": f"{wall_time(fill.ts)}Z",
        "volume": plain(fill.qty),
        "price": plain(fill.price),
        "amount": f"{fill.qty * fill.price:.4f}",
        "commission": plain(-fill.fee),
        "currency": fill.asset,
        "orderId": str(fill.order_id),
        "liquidatedPrice": "",
        "liquidatedMarginRatio": "",
        "filledTime": f"{wall_time(fill.ts)}.000+0800",
        "clientOrderID": client_id,
        "symbol": fill.symbol,
    }


def order_status(order: Order) -> str:
    """The venue's name of the status in REST answers."""
    words = {"NEW": "NEW" if order.type in TRIGGERS else "PENDING", "CANCELED": "CANCELLED"}
    return words.get(order.status, order.status)


def order_history_row(order: Order, leverage: int) -> Row:
    """A row of an order in a list of past orders: its times are whole seconds."""
    row = order_row(order, leverage)
    return row | {name: row[name] // 1000 * 1000 for name in ("time", "updateTime")}


def order_row(order: Order, leverage: int) -> Row:
    """A row of an order: an open one is PENDING with an empty leverage, a cancelled one is CANCELLED."""
    price = order.price if order.price is not None else order.average or order.guard
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "side": order.side,
        "positionSide": order.position_side,
        "type": order.type,
        "origQty": plain(order.qty),
        "price": plain(price),
        "executedQty": plain(order.executed),
        "avgPrice": plain(order.average),
        "cumQuote": f"{order.quote:.0f}",
        "stopPrice": "" if order.stop_price is None else plain(order.stop_price),
        "profit": plain(order.profit),
        "commission": plain(-order.commission),
        "status": order_status(order),
        "time": order.created,
        "updateTime": order.updated,
        "clientOrderId": order.client_id,
        "leverage": "" if order.open else f"{leverage}X",
        "takeProfit": target_row(order.terms.take_profit),
        "stopLoss": target_row(order.terms.stop_loss),
        "advanceAttr": 0,
        "positionID": 0,
        "takeProfitEntrustPrice": 0,
        "stopLossEntrustPrice": 0,
        "orderType": "",
        "workingType": WORKING_TYPES[order.terms.working],
        "stopGuaranteed": False,
        "triggerOrderId": order.triggered_by,
        "reduceOnly": order.reduce_only,
        "onlyOnePosition": order.position_side == "BOTH",
    }


def target_row(leg: Leg | None) -> Row:
    """The row of the leg that is attached to an order; without a leg its fields are empty or 0."""
    if leg is None:
        return {"type": "", "quantity": 0, "stopPrice": 0, "price": 0, "workingType": ""}
    return {
        "type": leg.type,
        "quantity": leg.qty or ZERO,
        "stopPrice": leg.stop_price,
        "price": leg.price or ZERO,
        "workingType": WORKING_TYPES[leg.working],
    }


def balance_row(view: BalanceView, unrealised: Decimal, frozen: Decimal, realised: Decimal, uid: str) -> Row:
    """A row of balance v3; `frozen` is the margin that open orders bind."""
    return {
        "userId": uid,
        "asset": view.asset,
        "balance": eight(view.wallet),
        "equity": eight(view.wallet + unrealised),
        "unrealizedProfit": eight(unrealised),
        "realisedProfit": plain(realised),
        "availableMargin": eight(max(view.free + unrealised - frozen, ZERO)),
        "usedMargin": eight(view.wallet - view.free),
        "freezedMargin": eight(frozen),
        "shortUid": "25307298",
    }


def empty_balance_row(asset: str) -> Row:
    """A row of an asset that the account has never held."""
    return {
        "userId": "",
        "asset": asset,
        "balance": "",
        "equity": "",
        "unrealizedProfit": "",
        "realisedProfit": "0",
        "availableMargin": "",
        "usedMargin": "",
        "freezedMargin": "",
        "shortUid": "25307298",
    }


def income_row(income: Income, trades: IncomeTrades = "named") -> Row:
    """A row of the income list, with a time in whole seconds; `trades` is the kind of a fee's or PnL's `tradeId`."""
    trade_id = income.trade_id
    if income.type in ("TRADING_FEE", "REALIZED_PNL") and trades != "named":
        trade_id = f"{income.tran_id}9" if trades == "foreign" else ""
    return {
        "symbol": income.symbol,
        "incomeType": income.type,
        "income": plain(income.amount),
        "asset": income.asset,
        "info": income.info,
        "time": income.ts // 1000 * 1000,
        "tranId": income.tran_id,
        "tradeId": trade_id,
    }
