"""The price of an order's last fill, from the average prices of all of it before and after."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

_SHORTEST = 18
_WIDE = Context(prec=120)


def last_price(average: Decimal, cumulative: Decimal, before: Decimal, qty: Decimal) -> Decimal:
    """The price of the last `qty` of `cumulative`, where what came `before` is worth so much.

    It is the shortest decimal that the rounding of the average leaves possible.
    """
    exponent = average.as_tuple().exponent
    assert isinstance(exponent, int)
    with localcontext(_WIDE):
        price = (average * cumulative - before) / qty
        # One unit in the last place: half of it from this average, half from the one that `before` stems from.
        slack = Decimal((0, (1,), exponent)) * cumulative / qty
        for places in range(_SHORTEST):
            short = round(price, places)
            if abs(short - price) <= slack:
                return short
        return price
