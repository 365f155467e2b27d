"""An order as it is requested, before it is checked."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from .amounts import ZERO
from .terms import Leg, TimeInForce, Working


class Ticket(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A requested order. Its size is `qty`, or what `quote` buys, or with `closes` the whole position.

    In one-way mode `position_side` is None or BOTH. A trailing order has a `rate` or a `distance`.
    """

    symbol: str
    side: str
    type: str
    position_side: str | None = None
    qty: Decimal | None = None
    quote: Decimal = ZERO
    closes: bool = False
    price: Decimal | None = None
    stop_price: Decimal | None = None
    client_id: str = ""
    reduce_only: bool = False
    time_in_force: TimeInForce = "GTC"
    working: Working = "mark"
    rate: Decimal = ZERO
    distance: Decimal = ZERO
    activation: Decimal | None = None
    stop_loss: Leg | None = None
    take_profit: Leg | None = None
