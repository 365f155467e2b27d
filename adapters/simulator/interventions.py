"""Orders that the venue makes or ends by itself: auto-deleveraging, and self-trade prevention."""

from __future__ import annotations

from decimal import Decimal

from .exchange import Exchange
from .orders import Fill, Order, OrderRefused
from .rules import check_price, check_quantity, check_symbol
from .terms import Terms

DELEVERAGED = Terms(deleveraged=True, reserves=False)
PREVENTED = Terms(prevented=True)


def deleverage(
    exchange: Exchange, symbol: str, position_side: str | None, qty: Decimal | None, *, now: int
) -> list[Fill]:
    """Deleverage `qty` of a position at the market's price, by default all of it. Raises `OrderRefused`."""
    check_symbol(exchange.market, symbol)
    held = exchange.account.position(symbol, position_side or "BOTH").qty
    if not held:
        raise OrderRefused(109420, "position not exist")
    qty = abs(held) if qty is None else qty
    check_quantity(exchange.market, symbol, qty)
    order = exchange.place(
        symbol,
        "SELL" if held > 0 else "BUY",
        qty,
        now=now,
        type="LIQUIDATION",
        position_side=position_side,
        terms=DELEVERAGED,
    )
    return [exchange.fill(order.id, now=now)]


def prevent(exchange: Exchange, symbol: str, qty: Decimal, price: Decimal, *, now: int) -> list[Order]:
    """Place two orders of the account that would meet: the first is half filled by others, and expires as the second
    comes, which rests in its place. Return both. Raises `OrderRefused`.
    """
    check_symbol(exchange.market, symbol)
    check_quantity(exchange.market, symbol, qty)
    check_price(exchange.market, symbol, price)
    sides = ("LONG", "SHORT") if exchange.hedge else (None, None)
    waited = exchange.place(
        symbol, "BUY", qty, now=now, type="LIMIT", position_side=sides[0], price=price, terms=PREVENTED
    )
    step = exchange.market.instruments[symbol].step
    half = (qty / 2) // step * step
    if half:
        exchange.fill(waited.id, half, now=now)
    expired = exchange.expire(waited.id, now=now)
    came = exchange.place(symbol, "SELL", qty, now=now, type="LIMIT", position_side=sides[1], price=price)
    return [expired, came]
