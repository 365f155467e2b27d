"""Reads BingX's REST answers. A row that cannot be trusted becomes an odd one; a balance is refused."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ....core.events import ZERO, Balance, Position
from ....core.ids import digest_id
from ....core.kinds import IncomeKind
from ....core.reports import FillReport, IncomeReport, OddRow, OrderRef, OrderReport
from ..amounts import amount, identity, moment, positive, text
from ..refusals import malformed
from .facts import INCOME
from .listing import odd
from .vocabulary import OVER, cost, executed, held, leverage, limit_price, position_side, side, status

Row = Mapping[str, Any]

_WALLET = ("balance", "equity", "unrealizedProfit", "availableMargin", "usedMargin", "freezedMargin")
_INCOME = ("incomeType", "income", "asset", "symbol", "info", "tradeId")
_PNL = ("realisedPNL", "realisedPnl", "realizedPNL", "realizedPnl")


def server_time(data: Any) -> int:
    """The exchange's clock, ms since the epoch."""
    found = moment(data.get("serverTime")) if isinstance(data, dict) else None
    if found is None:
        raise malformed("no server time")
    return found


def listen_key(data: Any) -> str:
    """The listen key, from an answer with or without an envelope."""
    found = data.get("listenKey") if isinstance(data, dict) else None
    if not isinstance(found, str) or not found or len(found) > 512 or not (found.isascii() and found.isprintable()):
        raise malformed("no listen key")
    return found


def listed(data: Any, *names: str) -> list[Row]:
    """The rows of an answer: a list, or one under any of the names; `{}`, null and a null list are no rows."""
    if isinstance(data, dict) and data:
        found = [data[name] for name in names if name in data]
        if not found:
            raise malformed(f"no {' or '.join(names) or 'list'}")
        data = found[0]
    if data is None or data == {}:
        return []
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise malformed("rows that are none")
    return data


def balances(data: Any, held: Container[str] = ()) -> list[Balance]:
    """Every asset that is not empty: a row of empty texts belongs to an asset that was never held.

    Refused are a half-empty row, an empty row of an asset that was `held` before, and an account with only empty rows.
    """
    if isinstance(data, dict) and isinstance(data.get("balance"), dict):
        data = [data["balance"]]
    rows = listed(data, "balance", "balances")
    found = []
    for row in rows:
        asset = text(row.get("asset"))
        if asset is not None and asset not in held and all(_silent(row.get(name)) for name in _WALLET):
            continue
        wallet = amount(row.get("balance"))
        if asset is None or wallet is None:
            raise malformed(f"the balance of {asset or 'no asset'} is no number")
        found.append(
            Balance(
                asset=asset,
                wallet_balance=wallet,
                available=amount(row.get("availableMargin")),
                equity=amount(row.get("equity")),
                unrealized_pnl=amount(row.get("unrealizedProfit")),
                used_margin=amount(row.get("usedMargin")),
            )
        )
    if not found:
        raise malformed("an account without a single asset")
    return found


def account_id(data: Any) -> str | None:
    """The account id of the balances; None if no row has one, or rows differ."""
    if isinstance(data, dict) and isinstance(data.get("balance"), dict):
        data = [data["balance"]]
    named = {identity(row.get("userId")) for row in listed(data, "balance", "balances")} - {None}
    return named.pop() if len(named) == 1 else None


def shape(data: Any, name: str) -> Literal["rows", "none", "hollow"]:
    """Return the kind of list in an answer: rows, a list of none, or no list at all, or null."""
    if isinstance(data, dict):
        data = data.get(name)
    return "hollow" if not isinstance(data, list) else "rows" if data else "none"


def positions(data: Any) -> Iterator[Position | OddRow]:
    """Return every position that is held. In one-way mode rows have LONG too; there the sign decides.

    A liquidation price of 0, as in rows of cross margin, is unknown.
    """
    for row in listed(data, "positions"):
        symbol, quantity = text(row.get("symbol")), amount(row.get("positionAmt"))
        if symbol is None or quantity is None:
            found, named = odd("position", "positions", row, "symbol", "positionAmt"), text(row.get("positionSide"))
            sure = row.get("onlyOnePosition") is False and named in ("LONG", "SHORT")
            yield msgspec.structs.replace(found, side=named if sure else None)
            continue
        if quantity == 0:
            continue
        isolated = row.get("isolated")
        yield Position(
            symbol=symbol,
            side=held(row.get("positionSide"), quantity),
            qty=quantity.copy_abs(),
            entry_price=positive(row.get("avgPrice")),
            unrealized_pnl=amount(row.get("unrealizedProfit")),
            margin_mode={True: "isolated", False: "cross"}[isolated] if isinstance(isolated, bool) else None,
            leverage=leverage(row.get("leverage")),
            mark_price=positive(row.get("markPrice")),
            liquidation_price=positive(row.get("liquidationPrice")),
        )


def nets(data: Any) -> bool:
    """True if the account nets its positions (one-way mode); also False while it has none."""
    return any(row.get("onlyOnePosition") is True for row in listed(data, "positions"))


def the_order(data: Any, ref: OrderRef) -> OrderReport | OddRow:
    """The order in the answer to a query of it."""
    row = data.get("order", data) if isinstance(data, dict) else None
    if not isinstance(row, dict):
        raise malformed("no order")
    report = order(row)
    if isinstance(report, OddRow) and report.order_id is None:
        return msgspec.structs.replace(report, symbol=ref.symbol, order_id=ref.order_id)
    if report.order_id != ref.order_id:
        raise malformed("another order than the one asked for")
    return report


def order(row: Row) -> OrderReport | OddRow:
    """One order; the odd row of a finished one has everything but the executed quantity.

    `commission` and `profit` are totals of the order; they are taken from its fills instead.
    """
    symbol, order_id, venue_status = text(row.get("symbol")), identity(row.get("orderId")), text(row.get("status"))
    if symbol is None or order_id is None or venue_status is None:
        return odd("order", "orders", row, "symbol", "orderId", "status")
    state = status(venue_status)
    quantity = amount(row.get("origQty"))
    cumulative = executed(state, row.get("executedQty"), quantity, row.get("avgPrice"))
    kind = text(row.get("type"))
    one_way = row.get("onlyOnePosition") is True
    report = OrderReport(
        symbol=symbol,
        order_id=order_id,
        status=state,
        cumulative_qty=cumulative or ZERO,
        client_order_id=text(row.get("clientOrderId")) or text(row.get("clientOrderID")),
        side=side(row.get("side")),
        position_side=None if one_way else position_side(row.get("positionSide")),
        order_type=kind,
        price=limit_price(kind, row.get("price")),
        qty=quantity or None,
        average_price=positive(row.get("avgPrice")),
        liquidation=kind == "LIQUIDATION",
        exchange_ts=moment(row.get("updateTime"), row.get("time")),
        created_ts=moment(row.get("time")),
    )
    if cumulative is not None:
        return report
    found = odd("order", "orders", row, "executedQty")
    return msgspec.structs.replace(found, order=report) if state in OVER else found


def fill(row: Row) -> FillReport | OddRow:
    """One fill, from either shape: if there is a `volume`, even an empty one, `qty` is the quote value."""
    symbol, order_id = text(row.get("symbol")), identity(row.get("orderId"))
    quantity = amount(row["volume"] if "volume" in row else row.get("qty"))
    at = filled_ms(row.get("filledTime"))
    if symbol is None or order_id is None or quantity is None or quantity <= 0 or at is None:
        return odd(
            "fill", "fillHistory", row, "volume" if "volume" in row else "qty", "filledTime", "orderId", "symbol"
        )
    return FillReport(
        symbol=symbol,
        order_id=order_id,
        qty=quantity,
        exchange_ts=at,
        price=positive(row.get("price")),
        trade_id=identity(row.get("tradeId")),
        side=side(row.get("side")),
        position_side=position_side(row.get("positionSide")),
        fee=cost(row.get("commission")),
        fee_asset=text(row.get("commissionAsset")) or text(row.get("currency")),
        realized_pnl=_first_amount(row, _PNL),
    )


def income(row: Row) -> IncomeReport | OddRow:
    """One income row; a positive amount is an inflow."""
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


def filled_ms(value: Any) -> int | None:
    """`filledTime` in ms, None if it cannot be read. `filledTm` is not used: it is local time of UTC+8 with a Z."""
    try:
        at = datetime.fromisoformat(value)
        return moment(round(at.timestamp() * 1000)) if at.tzinfo is not None else None
    except (TypeError, ValueError, OverflowError):
        return None


def _silent(value: Any) -> bool:
    return value is None or value == ""


def _first_amount(row: Row, names: tuple[str, ...]) -> Decimal | None:
    return next((found for name in names if (found := amount(row.get(name))) is not None), None)
