"""Rows of the answers about orders, fills and bookings. Amounts are texts; flags and ids are not."""

from __future__ import annotations

from typing import Any

from ..amounts import ZERO, plain
from ..book import Income
from ..orders import Fill, Order
from . import words

Row = dict[str, Any]
INCOME = {"TRADING_FEE": "COMMISSION"}
"""The venue's names of kinds of bookings, where they differ from the model's."""


def order_row(order: Order, cause: Order | None, *, full: bool = True) -> Row:
    """A plain order; `cause` is the algo order that made it. With `full` false it is the answer to a change of it."""
    origin = order if cause is None else cause
    row: Row = {
        "orderId": order.id,
        "symbol": order.symbol,
        "status": words.status(order),
        "clientOrderId": words.client_id(order),
        "price": words.price(order),
        "avgPrice": plain(order.average) if order.executed else "0.00000",
        "origQty": plain(order.qty),
        "executedQty": plain(order.executed),
        "cumQuote": plain(order.quote),
        "timeInForce": words.time_in_force(order),
        "type": words.kind(order),
        "reduceOnly": order.reduce_only,
        "closePosition": origin.terms.closes,
        "side": order.side,
        "positionSide": order.position_side,
        "stopPrice": plain(origin.stop_price or ZERO),
        "workingType": words.WORKING[origin.terms.working] if cause else "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": words.kind(origin),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "updateTime": order.updated,
    }
    return row | ({"time": order.created} if full else {"cumQty": plain(order.executed)})


def trade_row(fill: Fill, margin_asset: str) -> Row:
    """A fill; the commission is a cost, and a rebate is negative."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side,
        "price": plain(fill.price),
        "qty": plain(fill.qty),
        "realizedPnl": plain(fill.pnl),
        "marginAsset": margin_asset,
        "quoteQty": plain(fill.qty * fill.price),
        "commission": plain(fill.fee),
        "commissionAsset": fill.asset,
        "time": fill.ts,
        "positionSide": fill.position_side,
        "buyer": fill.side == "BUY",
        "maker": fill.maker,
    }


def income_row(income: Income, *, as_text: bool) -> Row:
    """A booking; a positive amount goes into the wallet. Funding has a time in whole seconds."""
    kind = INCOME.get(income.type, income.type)
    number = words.tran_id(income.tran_id)
    return {
        "symbol": income.symbol,
        "incomeType": kind,
        "income": plain(income.amount),
        "asset": income.asset,
        "info": kind if kind != "TRANSFER" else ("DEPOSIT" if income.amount > 0 else "WITHDRAW"),
        "time": income.ts // 1000 * 1000 if kind.endswith("FUNDING_FEE") else income.ts,
        "tranId": str(number) if as_text else number,
        "tradeId": income.trade_id if kind in {"COMMISSION", "REALIZED_PNL"} else "",
    }
