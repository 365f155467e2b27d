"""The terms of an order beside its sides, its quantity and its prices, as immutable values."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from .amounts import ZERO

TimeInForce = Literal["GTC", "IOC", "FOK", "POST_ONLY"]
Working = Literal["mark", "last", "index"]
"""The price that a conditional order looks at; there is one price, so each of them is the same."""


class Leg(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A conditional order attached to another, which is placed when that one is filled; `qty` None is all of it."""

    type: str
    stop_price: Decimal
    price: Decimal | None = None
    qty: Decimal | None = None
    working: Working = "mark"


class Terms(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The terms of one order beside its sides, its quantity and its prices.

    A trailing one follows the market at a share `rate` of its price or at a `distance`, from `activation` on. `closes`
    says that it takes the whole position, `entry` of which order it is a leg, `reserves` whether what it will close is
    kept for it. `margin` is what each unit of it binds until it is filled.
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
    """The venue takes a position off for others' sake."""
    prevented: bool = False
    """It expires rather than meet an order of the same account."""


PLAIN = Terms()
