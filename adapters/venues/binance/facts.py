"""Facts of Binance's USDⓈ-M futures, and what others leave to the venue to say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ....core.backoff import CallLimit
from ....core.kinds import IncomeKind

TIME_GRAIN_MS = 1
"""Rows of fills and orders have the very millisecond that frames have."""
FAILING_CALLS = CallLimit(20, 60.0)
"""No document counts failing calls. What does count is weight, and going on after "too fast"; so this only keeps a
mistake that repeats itself from costing more than a little of the weight of a minute."""
BY_FILL, FUNDING = "ORDER", "FUNDING_FEE"
"""Causes of an account push: an order was executed, funding was paid."""
INCOME: Mapping[str, IncomeKind] = MappingProxyType(
    {
        "COMMISSION": IncomeKind.FEE,
        "REALIZED_PNL": IncomeKind.PNL,
        FUNDING: IncomeKind.FUNDING,
        "SPECIAL_FUNDING_FEE": IncomeKind.FUNDING,
    }
)
"""Types of income, since 2026-09 two kinds of funding; those that are not here are transfers and the like."""
EVENTS = (
    "ORDER_TRADE_UPDATE",
    "ACCOUNT_UPDATE",
    "ACCOUNT_CONFIG_UPDATE",
    "MARGIN_CALL",
    "ALGO_UPDATE",
    "STRATEGY_UPDATE",
    "GRID_UPDATE",
    "CONDITIONAL_ORDER_TRIGGER_REJECT",
    "listenKeyExpired",
)
"""The events that a socket asks for, by the names of the wire: an unknown name is ignored without a word, and one
that is left out never comes. TRADE_LITE is left out: it repeats a fill without its fee, and without its place in the
order."""
IGNORED = "TRADE_LITE"
POLICY: Mapping[str, float] = MappingProxyType(
    {
        "probe_after": 30.0,
        "silence_timeout": 15.0,
        "renew_interval": 300.0,
        "delete_keys": 0.0,
        "poll_interval": 20.0,
    }
)
"""The venue pings every three minutes and says nothing else to an idle account, so it is asked for life. A key that has
died is noticed by its renewal. It is the account's, so whoever deletes it takes it from all others. A read weighs about
130 of the 2400 that one address has in a minute."""
