"""Reads Binance's REST answers. A row that cannot be trusted becomes an odd one; a balance is refused."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ....core.events import ZERO, Balance, Position
from ....core.ids import digest_id
from ....core.kinds import IncomeKind
from ....core.reports import FillReport, IncomeReport, OddRow, OrderRef, OrderReport
from ..amounts import amount, identity, moment, positive, text, whole
from ..refusals import malformed, redacted
from .facts import INCOME
from .words import OVER, held, is_liquidation, limit_price, margin_mode, position_side, sides, status

Row = dict[str, Any]
_LONGEST_KEY, _LONGEST_VALUE = 512, 40
_INCOME = ("incomeType", "income", "asset", "symbol", "info", "tradeId")


def server_time(data: Any) -> int:
    """The exchange's clock, ms since the epoch."""
    found = moment(data.get("serverTime")) if isinstance(data, dict) else None
    if found is None:
        raise malformed("no server time")
    return found


def named_key(data: Any) -> str | None:
    """The listen key in an answer; None if it has none, as documented for renewals."""
    found = data.get("listenKey") if isinstance(data, dict) else None
    if not isinstance(found, str) or not found or len(found) > _LONGEST_KEY:
        return None
    return found if found.isascii() and found.isprintable() else None


def listen_key(data: Any) -> str:
    """The listen key in an answer that must have one."""
    found = named_key(data)
    if found is None:
        raise malformed("no listen key")
    return found


def listed(data: Any) -> list[Row]:
    """The rows of an answer, which is a plain list."""
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise malformed("no list of rows")
    return data


def balances(data: Any, known: Container[str] = ()) -> list[Balance]:
    """Every asset that is held, or that is `known` from before: the venue lists all assets, most of them with 0.

    So an empty list is refused.
    """
    rows, found = listed(data), []
    if not rows:
        raise malformed("balances of no asset at all")
    for row in rows:
        asset, wallet = text(row.get("asset")), amount(row.get("balance"))
        if asset is None or wallet is None:
            raise malformed(f"the balance of {asset or 'no asset'} is no number")
        if wallet or asset in known or amount(row.get("crossWalletBalance")):
            available = amount(row.get("availableBalance"))
            found.append(Balance(asset=asset, wallet_balance=wallet, available=available))
    return found


def account_id(data: Any) -> str | None:
    """The account of the balances, by its alias; None if no row has one, or rows differ."""
    aliases = {text(row.get("accountAlias")) for row in listed(data)} - {None}
    return aliases.pop() if len(aliases) == 1 else None


def positions(data: Any) -> Iterator[Position | OddRow]:
    """Every position that is held. A row of 0 belongs to a symbol with an order; a liquidation price of 0 is none."""
    for row in sides(listed(data), "symbol", "positionSide"):
        symbol, quantity = text(row.get("symbol")), amount(row.get("positionAmt"))
        if symbol is None or quantity is None:
            found, named = odd("position", "positionRisk", row, "symbol", "positionAmt"), text(row.get("positionSide"))
            yield msgspec.structs.replace(found, side=named if named in ("LONG", "SHORT") else None)
            continue
        if quantity == 0:
            continue
        yield Position(
            symbol=symbol,
            side=held(row.get("positionSide"), quantity),
            qty=quantity.copy_abs(),
            entry_price=positive(row.get("entryPrice")),
            unrealized_pnl=amount(row.get("unRealizedProfit")),
            margin_mode=_margin_mode(row),
            mark_price=positive(row.get("markPrice")),
            liquidation_price=positive(row.get("liquidationPrice")),
        )


def nets(data: Any) -> bool:
    """True if the account nets its positions (one-way mode); also False while it has none."""
    rows = sides(listed(data), "symbol", "positionSide")
    return any(row.get("positionSide") == "BOTH" and amount(row.get("positionAmt")) for row in rows)


def the_order(data: Any, ref: OrderRef) -> OrderReport | OddRow:
    """The order in the answer to a query of it."""
    if not isinstance(data, dict):
        raise malformed("no order")
    report = order(data)
    if isinstance(report, OddRow) and report.order_id is None:
        return msgspec.structs.replace(report, symbol=ref.symbol, order_id=ref.order_id)
    if (report.symbol, report.order_id) != ref:
        raise malformed("another order than the one asked for")
    return report


def order(row: Row) -> OrderReport | OddRow:
    """One order; the odd row of a finished one has everything but the executed quantity."""
    symbol, order_id, venue_status = text(row.get("symbol")), identity(row.get("orderId")), text(row.get("status"))
    if symbol is None or order_id is None or venue_status is None:
        return odd("order", "allOrders", row, "symbol", "orderId", "status")
    quantity, executed = amount(row.get("origQty")), amount(row.get("executedQty"))
    cumulative = executed if executed is not None and executed >= 0 else None
    state = status(venue_status, cumulative or ZERO, quantity)
    kind, client_order_id = text(row.get("type")), text(row.get("clientOrderId"))
    report = OrderReport(
        symbol=symbol,
        order_id=order_id,
        status=state,
        cumulative_qty=cumulative or ZERO,
        client_order_id=client_order_id,
        side=text(row.get("side")),
        position_side=position_side(row.get("positionSide")),
        order_type=kind,
        price=limit_price(kind, row.get("price")),
        qty=quantity or None,
        average_price=positive(row.get("avgPrice")),
        liquidation=is_liquidation(client_order_id, kind),
        exchange_ts=moment(row.get("updateTime"), row.get("time")),
        created_ts=moment(row.get("time")),
    )
    if cumulative is not None:
        return report
    found = odd("order", "allOrders", row, "executedQty")
    return msgspec.structs.replace(found, order=report) if state in OVER else found


def fill(row: Row) -> FillReport | OddRow:
    """One fill. Its commission is a cost: positive if paid, negative for a maker's rebate."""
    symbol, order_id, trade_id = text(row.get("symbol")), identity(row.get("orderId")), identity(row.get("id"))
    quantity, at = amount(row.get("qty")), moment(row.get("time"))
    if symbol is None or order_id is None or trade_id is None or at is None or quantity is None or quantity <= 0:
        return odd("fill", "userTrades", row, "qty", "time", "id", "orderId", "symbol")
    return FillReport(
        symbol=symbol,
        order_id=order_id,
        qty=quantity,
        exchange_ts=at,
        price=positive(row.get("price")),
        trade_id=trade_id,
        side=text(row.get("side")),
        position_side=position_side(row.get("positionSide")),
        fee=amount(row.get("commission")),
        fee_asset=text(row.get("commissionAsset")),
        realized_pnl=amount(row.get("realizedPnl")),
    )


def income(row: Row) -> IncomeReport | OddRow:
    """One income row; a positive amount is an inflow. Its id is unique among those of its type."""
    kind, change, at = text(row.get("incomeType")), amount(row.get("income")), moment(row.get("time"))
    if kind is None or change is None or at is None:
        return odd("income", "income", row, "incomeType", "income", "time")
    return IncomeReport(
        income_type=kind,
        kind=INCOME.get(kind, IncomeKind.OTHER),
        amount=change,
        tran_id=identity(row.get("tranId")) or digest_id("income", at, *(str(row.get(name)) for name in _INCOME)),
        exchange_ts=at,
        asset=text(row.get("asset")),
        symbol=text(row.get("symbol")),
        trade_id=identity(row.get("tradeId")),
    )


def trade_number(report: FillReport) -> int:
    """The trade id as a number, by which the trades of a symbol are ordered."""
    return whole(report.trade_id) or 0


def odd(
    kind: Literal["fill", "order", "position", "income"], endpoint: str, row: Mapping[str, Any], *at_fault: str
) -> OddRow:
    """The odd row for a row in which one of the fields `at_fault` cannot be read; they are shown first."""
    names = [*(name for name in at_fault if name in row), *(name for name in row if name not in at_fault)]
    shown = (f"{name}={str(row[name])[:_LONGEST_VALUE]!r}" for name in names if not isinstance(row[name], (dict, list)))
    return OddRow(
        kind=kind,
        endpoint=endpoint,
        excerpt=redacted(" ".join(shown)),
        symbol=text(row.get("symbol")),
        order_id=identity(row.get("orderId")),
        qty=amount(row.get("qty")) if kind == "fill" else None,
    )


def _margin_mode(row: Row) -> str | None:
    """The margin mode; the newer list has none, but a position with its own wallet is isolated."""
    own: Decimal | None = amount(row.get("isolatedWallet"))
    return margin_mode(row.get("marginType")) or ("isolated" if own else None)
