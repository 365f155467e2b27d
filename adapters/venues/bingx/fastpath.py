"""Reads the two most frequent frames of a stream in one typed pass; frames of any other shape are left to `swap.py`.

A frame is read here only if all its keys are known, no key comes twice (there are as many colons as keys, besides those
in texts), all amounts are sane, and no text is long. Otherwise the result is None, and the reader of `swap.py` reads
it: this file makes reading faster, and changes no result.
"""

from __future__ import annotations

import re
from decimal import Decimal
from sys import intern

import msgspec

from ....core.events import Balance, Position
from ....core.reports import AccountReport, OrderReport
from ..amounts import LATEST
from .facts import BY_FILL, FUNDING
from .shapes import LONGEST, AccountFrame, OrderFrame, OrderRow, TradeFrame
from .vocabulary import is_market

_HUGE, _DEBT = Decimal(10**20), Decimal(-(10**20))
_MANY = 10**24
SHORTEST = 64
"""The fewest bytes of a frame that is tried; heartbeats are shorter."""
_ZERO = Decimal(0)
_TINY, _LEAST = -40, Decimal("1e-40")
"""The exponent of the first digit, and the amount, below which an amount is refused as absurdly small."""
_EXECUTIONS = frozenset({"TRADE", "CALCULATED", ""})
_BLANK = re.compile(rb'"\s+:').search
_decode = msgspec.json.Decoder(OrderFrame | TradeFrame | AccountFrame).decode


def _has_keys(text: bytes, keys: int) -> bool:
    """True if the text has `keys` keys, not counting colons in texts; with a blank before a colon it is False."""
    return text.count(b'":') == keys and _BLANK(text) is None


def fast_report(frame: bytes) -> OrderReport | AccountReport | None:
    """The report in the frame; None if its shape is another one, or anything in it is doubtful."""
    try:
        content = _decode(frame)
        if type(content) is AccountFrame:
            return _account(content, frame)
        return _order(content, content.o, frame)
    except (msgspec.MsgspecError, ArithmeticError, RecursionError, UnicodeDecodeError):
        return None


def _order(frame: OrderFrame | TradeFrame, order: OrderRow, text: bytes) -> OrderReport | None:
    last, paid = order.l, order.L
    symbol, number, status, order_type, trade = order.s, order.i, order.X, order.o, order.td
    keys = 29 if frame.T else 28
    if order.c is None:
        keys -= 1
    if order.sp is None:
        keys -= 1
    if order.wt is None:
        keys -= 1
    if order.sg is None:
        keys -= 1
    if order.ti is None:
        keys -= 1
    if order.ro is None:
        keys -= 1
    if trade is None:
        keys -= 1
    if order.tv is None:
        keys -= 1
    if last is None:
        keys -= 1
    if paid is None:
        keys -= 1
    qty, cumulative_qty, average_price, charge, realized_pnl = order.q, order.z, order.ap, order.n, order.rp
    if (
        (text.count(b":") != keys and not _has_keys(text, keys))
        or not (_ZERO <= cumulative_qty <= qty < _HUGE and qty >= _LEAST and _ZERO <= average_price < _HUGE)
        or not (_DEBT < charge < _HUGE and _DEBT < realized_pnl < _HUGE)
        or cumulative_qty.adjusted() < _TINY
        or average_price.adjusted() < _TINY
        or charge.adjusted() < _TINY
        or realized_pnl.adjusted() < _TINY
        or not (symbol and 0 < number < _MANY)
        or (status == "FILLED" and average_price and not cumulative_qty)
    ):
        return None
    price = last_qty = last_price = None
    caused = order.x in _EXECUTIONS
    if last is not None and paid is not None:
        if (
            not (_ZERO <= last <= cumulative_qty and _ZERO <= paid < _HUGE)
            or last.adjusted() < _TINY
            or paid.adjusted() < _TINY
        ):
            return None
        last_price = paid if last and paid else None
        last_qty = last if last_price or not (last or caused) else None
    if order_type == "LIMIT" or not is_market(order_type):
        price = order.p
        if not _LEAST <= price < _HUGE:
            return None
    order_id, client_order_id, side = str(number), order.c or None, order.S
    position_side = None if order.ps == "BOTH" else order.ps
    trade_id = str(trade) if trade and trade > 0 else None
    fee = (charge.copy_negate() if charge else charge.copy_abs()) if caused else None
    fee_asset = intern(order.N) if order.N else None
    liquidation = order_type == "LIQUIDATION" or order.x == "CALCULATED"
    ms = order.T or frame.T or frame.E
    exchange_ts = ms if 0 < ms < LATEST else None
    return OrderReport(
        symbol,
        order_id,
        status,
        cumulative_qty,
        client_order_id,
        side,
        position_side,
        order_type,
        price,
        qty,
        average_price or None,
        last_qty,
        last_price,
        trade_id,
        fee,
        fee_asset,
        realized_pnl if caused else None,
        liquidation,
        exchange_ts,
        longest=LONGEST if client_order_id is None else max(LONGEST, len(client_order_id)),
    )


def _account(frame: AccountFrame, text: bytes) -> AccountReport | None:
    account = frame.a
    keys = 7 if frame.T else 6
    balances = []
    for row in account.B:
        keys += 4
        wallet, change = row.wb, row.bc
        if (
            not (row.a and _DEBT < wallet < _HUGE and _DEBT < change < _HUGE)
            or wallet.adjusted() < _TINY
            or change.adjusted() < _TINY
        ):
            return None
        balances.append(Balance(asset=row.a, wallet_balance=wallet, change=change))
    positions = []
    for held in account.P:
        keys += 7 if held.cr is None else 8
        amount, entry, unrealized = held.pa, held.ep, held.up
        if (
            not held.s
            or not (_ZERO <= amount < _HUGE and _ZERO <= entry < _HUGE and _DEBT < unrealized < _HUGE)
            or amount.adjusted() < _TINY
            or entry.adjusted() < _TINY
            or unrealized.adjusted() < _TINY
        ):
            return None
        positions.append(
            Position(
                symbol=held.s,
                side=held.ps,
                qty=amount,
                entry_price=(entry or None) if amount else None,
                unrealized_pnl=unrealized,
                margin_mode=held.mt,
            )
        )
    if text.count(b":") != keys and not _has_keys(text, keys):
        return None
    ms = frame.T or frame.E
    return AccountReport(
        reason=account.m or None,
        balances=tuple(balances),
        positions=tuple(positions),
        by_fill=account.m == BY_FILL,
        funding=account.m == FUNDING,
        exchange_ts=ms if 0 < ms < LATEST else None,
        longest=LONGEST,
    )
