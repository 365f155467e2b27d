"""The exact shapes of the two most frequent frames of a stream, by the keys of the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

LONGEST = 24
"""The most characters of a text in such a frame, besides the client order id: too few for a key."""
ShortText = Annotated[str, Meta(max_length=LONGEST)]
Scalar = ShortText | int | float | bool | None
"""A value that is not used; null counts as a missing key, and a frame with another key is left alone."""
OrderType = (
    Literal["LIMIT", "STOP", "TAKE_PROFIT", "TRIGGER_LIMIT", "TRAILING_STOP_MARKET", "TRAILING_TP_SL"]
    | Literal["MARKET", "STOP_MARKET", "TAKE_PROFIT_MARKET", "TRIGGER_MARKET", "LIQUIDATION"]
)


class OrderRow(Struct, forbid_unknown_fields=True, gc=False):
    s: ShortText
    i: int
    S: Literal["BUY", "SELL"]
    o: OrderType
    q: Decimal
    p: Decimal
    ap: Decimal
    x: Literal["NEW", "TRADE", "CALCULATED", "CANCELED", "EXPIRED", ""]
    X: Literal["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED"]
    N: ShortText
    n: Decimal
    T: int
    ps: Literal["LONG", "SHORT", "BOTH"]
    rp: Decimal
    z: Decimal
    c: str | None = None
    sp: Scalar = None
    wt: Scalar = None
    sg: Scalar = None
    ti: Scalar = None
    ro: Scalar = None
    td: int | None = None
    tv: Scalar = None
    l: Decimal | None = None  # noqa: E741 - the wire's own name
    L: Decimal | None = None


class BalanceRow(Struct, forbid_unknown_fields=True, gc=False):
    a: ShortText
    wb: Decimal
    cw: Scalar
    bc: Decimal


class PositionRow(Struct, forbid_unknown_fields=True, gc=False):
    s: ShortText
    pa: Decimal
    ep: Decimal
    up: Decimal
    mt: Literal["cross", "isolated"]
    iw: Scalar
    ps: Literal["LONG", "SHORT"]
    cr: Scalar = None


class AccountRow(Struct, forbid_unknown_fields=True, gc=False):
    m: ShortText
    B: list[BalanceRow]
    P: list[PositionRow]


class OrderFrame(Struct, forbid_unknown_fields=True, gc=False, tag_field="e", tag="ORDER_TRADE_UPDATE"):
    E: int
    o: OrderRow
    T: int = 0


class TradeFrame(Struct, forbid_unknown_fields=True, gc=False, tag_field="e", tag="TRADE_UPDATE"):
    E: int
    o: OrderRow
    T: int = 0


class AccountFrame(Struct, forbid_unknown_fields=True, gc=False, tag_field="e", tag="ACCOUNT_UPDATE"):
    E: int
    a: AccountRow
    T: int = 0
