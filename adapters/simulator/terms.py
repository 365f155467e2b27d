"""The terms of an order besides its sides, quantity and prices, as immutable values."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from .amounts import ZERO

TimeInForce = Literal["GTC", "IOC", "FOK", "POST_ONLY"]
Working = Literal["mark", "last", "index"]
"""The price that triggers a conditional order; here all three are the market's one price."""


class Leg(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A conditional order attached to another one, and placed when that is filled; `qty` None is its full quantity."""

    type: str
    stop_price: Decimal
    price: Decimal | None = None
    qty: Decimal | None = None
    working: Working = "mark"


class Terms(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The terms of one order besides its sides, quantity and prices.

    A trailing order follows the market at a share `rate` of its price or at a `distance`, from `activation` on. With
    `closes` it takes the whole position. `entry` is the id of the order whose leg it is, else 0. With `reserves` the
    quantity that it will close is reserved for it. `margin` is bound by each unit until it is filled.
    """

    time_in_force: TimeInForce = "GTC"
    working: Working = "mark"
    closes: bool = False
    rate: Decimal = ZERO
    distance: Decimal = ZERO
    activation: Decimal | None = None
    stop_loss: Leg | None = None
    take_profit: Leg | None = None
    quote: Decimal = ZERO
    entry: int = 0
    reserves: bool = True
    margin: Decimal = ZERO
    deleveraged: bool = False
    """True if the venue makes the order to deleverage a position."""
    prevented: bool = False
    """True if it expires because it would meet an order of the same account."""


PLAIN = Terms()
