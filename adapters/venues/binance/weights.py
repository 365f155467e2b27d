"""The weights of requests. The limit per minute holds for one address, with all accounts together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LIMIT = 2400
"""The weight per minute, for USDⓈ-M and COIN-M together since 2026-06; the test environment allows more."""
KEY, TIME = "/fapi/v1/listenKey", "/fapi/v1/time"
FILLS, INCOME = "/fapi/v1/userTrades", "/fapi/v1/income"
ORDERS, ORDER = "/fapi/v1/allOrders", "/fapi/v1/order"
OPEN_ORDERS, OPEN_ORDER = "/fapi/v1/openOrders", "/fapi/v1/openOrder"
POSITIONS, BALANCE = "/fapi/v3/positionRisk", "/fapi/v3/balance"

OF: Mapping[str, int] = MappingProxyType(
    {
        KEY: 1,
        TIME: 1,
        FILLS: 5,
        ORDERS: 5,
        ORDER: 1,
        OPEN_ORDER: 1,
        OPEN_ORDERS: 40,  # of all symbols
        INCOME: 30,
        POSITIONS: 5,
        BALANCE: 5,
    }
)
QUIET = 2 * (OF[TIME] + OF[INCOME] + OF[ORDERS]) + OF[OPEN_ORDERS] + OF[POSITIONS] + OF[BALANCE]
"""The weight of a read in which nothing was executed."""


def of_read(symbols: int) -> int:
    """The weight of a read that asks for the fills of `symbols` symbols."""
    return QUIET + 2 * symbols * OF[FILLS]
