"""The two frames that make up a stream, read in one typed pass; whatever is not exactly of their shape is left alone.

A frame is taken here only if every key in it is one that is known, none stands there twice, and every amount is sane.
Anything else gives None, and the patient reader of `swap.py` has its turn: this file decides speed, never meaning.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ...core.events import Balance, Position
from ...core.reports import AccountReport, OrderReport
from .amounts import LATEST
from .words import is_market

_HUGE = Decimal(10**20)
_ZERO = Decimal(0)
_TINY = -40
"""The place of an amount's first digit, below which it is absurd: some exponent has made it so."""
_STATUSES = frozenset({"NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED"})
_EXECUTIONS = frozenset({"TRADE", "CALCULATED", ""})
_SIDES = frozenset({"BUY", "SELL"})
_DIRECTIONS: dict[str, str | None] = {"LONG": "LONG", "SHORT": "SHORT", "BOTH": None}


class _Order(Struct, forbid_unknown_fields=True):
    s: str
    i: int
    S: str
    o: str
    q: Decimal
    p: str
    ap: Decimal
    x: str
    X: str
    N: str
    n: Decimal
    T: int
    ps: str
    rp: Decimal
    z: Decimal
    c: str | UnsetType = UNSET
    sp: Any = UNSET
    wt: Any = UNSET
    sg: Any = UNSET
    ti: Any = UNSET
    ro: Any = UNSET
    td: int | UnsetType = UNSET
    tv: Any = UNSET
    l: Decimal | UnsetType = UNSET  # noqa: E741 - the wire's own name
    L: Decimal | UnsetType = UNSET


class _Balance(Struct, forbid_unknown_fields=True):
    a: str
    wb: Decimal
    cw: Any
    bc: Decimal


class _Position(Struct, forbid_unknown_fields=True):
    s: str
    pa: Decimal
    ep: Decimal
    up: Decimal
    mt: str
    iw: Any
    ps: str
    cr: Any = UNSET


class _Account(Struct, forbid_unknown_fields=True):
    m: str
    B: list[_Balance]
    P: list[_Position]


class _OrderFrame(Struct, forbid_unknown_fields=True, tag_field="e", tag="ORDER_TRADE_UPDATE"):
    E: int
    o: _Order
    T: int | UnsetType = UNSET


class _TradeFrame(Struct, forbid_unknown_fields=True, tag_field="e", tag="TRADE_UPDATE"):
    E: int
    o: _Order
    T: int | UnsetType = UNSET


class _AccountFrame(Struct, forbid_unknown_fields=True, tag_field="e", tag="ACCOUNT_UPDATE"):
    E: int
    a: _Account
    T: int | UnsetType = UNSET


_decode = msgspec.json.Decoder(_OrderFrame | _TradeFrame | _AccountFrame).decode


def exact(frame: bytes | str) -> OrderReport | AccountReport | None:
    """The report, or None: not of the shape, or not beyond doubt."""
    if not isinstance(frame, bytes):
        return None
    try:
        content = _decode(frame)
        if isinstance(content, _AccountFrame):
            return _account(content, frame)
        return _order(content, content.o, frame)
    except (msgspec.MsgspecError, ArithmeticError, RecursionError, UnicodeDecodeError):
        return None


def _order(frame: _OrderFrame | _TradeFrame, order: _Order, text: bytes) -> OrderReport | None:
    last, price = order.l, order.L
    keys = (
        18
        + (frame.T is not UNSET)
        + (order.c is not UNSET)
        + (order.sp is not UNSET)
        + (order.wt is not UNSET)
        + (order.sg is not UNSET)
        + (order.ti is not UNSET)
        + (order.ro is not UNSET)
        + (order.td is not UNSET)
        + (order.tv is not UNSET)
        + (last is not UNSET)
        + (price is not UNSET)
    )
    quantity, done, average = order.q, order.z, order.ap
    if (
        _has_more(text, keys)
        or order.X not in _STATUSES
        or order.S not in _SIDES
        or order.ps not in _DIRECTIONS
        or not (_ZERO < quantity < _HUGE and _ZERO <= done < _HUGE and _ZERO <= average < _HUGE)
        or not (-_HUGE < order.n < _HUGE and -_HUGE < order.rp < _HUGE)
        or min(quantity.adjusted(), done.adjusted(), average.adjusted(), order.n.adjusted(), order.rp.adjusted())
        < _TINY
        or not (order.s and 0 < order.i < 10**24)
        or (done == _ZERO and order.X == "FILLED")
    ):
        return None
    costs = order.x in _EXECUTIONS
    if last is UNSET or price is UNSET:
        last_qty = last_price = None
    elif not (_ZERO <= last < _HUGE and _ZERO <= price < _HUGE) or min(last.adjusted(), price.adjusted()) < _TINY:
        return None
    else:
        last_price = price if last and price else None
        last_qty = last if last_price or not (last or costs) else None
    kind = order.o
    limit = None
    if not is_market(kind):
        limit = Decimal(order.p)
        if not _ZERO < limit < _HUGE or limit.adjusted() < _TINY:
            return None
    fee = order.n
    return OrderReport(
        symbol=order.s,
        order_id=str(order.i),
        status=order.X,
        cumulative_qty=done,
        client_order_id=order.c or None,
        side=order.S,
        position_side=_DIRECTIONS[order.ps],
        order_type=kind or None,
        price=limit,
        qty=quantity,
        average_price=average or None,
        last_qty=last_qty,
        last_price=last_price,
        trade_id=str(order.td) if order.td and order.td > 0 else None,
        fee=(fee.copy_negate() if fee else fee.copy_abs()) if costs else None,
        fee_asset=order.N or None,
        realized_pnl=order.rp if costs else None,
        liquidation=kind == "LIQUIDATION" or order.x == "CALCULATED",
        exchange_ts=_time(order.T or frame.T or frame.E),
    )


def _account(frame: _AccountFrame, text: bytes) -> AccountReport | None:
    account = frame.a
    keys = 6 + (frame.T is not UNSET) + 4 * len(account.B)
    balances = []
    for row in account.B:
        if (
            not (row.a and -_HUGE < row.wb < _HUGE and -_HUGE < row.bc < _HUGE)
            or min(row.wb.adjusted(), row.bc.adjusted()) < _TINY
        ):
            return None
        balances.append(Balance(asset=row.a, wallet_balance=row.wb, change=row.bc))
    positions = []
    for held in account.P:
        keys += 7 + (held.cr is not UNSET)
        amount = held.pa
        if (
            held.ps not in ("LONG", "SHORT")
            or not held.s
            or not held.mt.islower()
            or not (_ZERO <= amount < _HUGE and _ZERO <= held.ep < _HUGE and -_HUGE < held.up < _HUGE)
            or min(amount.adjusted(), held.ep.adjusted(), held.up.adjusted()) < _TINY
        ):
            return None
        positions.append(
            Position(
                symbol=held.s,
                side=held.ps,
                qty=amount,
                entry_price=(held.ep or None) if amount else None,
                unrealized_pnl=held.up,
                margin_mode=held.mt,
            )
        )
    if _has_more(text, keys):
        return None
    return AccountReport(
        reason=account.m or None,
        balances=tuple(balances),
        positions=tuple(positions),
        funding=account.m == "FUNDING_FEE",
        exchange_ts=_time(frame.T or frame.E),
    )


def _has_more(text: bytes, keys: int) -> bool:
    """Whether there are more keys than those that were read: one stands there twice. A lone colon is quicker found."""
    return text.count(b":") != keys and text.count(b'":') != keys


def _time(ms: int | UnsetType) -> int | None:
    return ms if ms and 0 < ms < LATEST else None
