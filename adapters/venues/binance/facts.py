"""Facts of Binance's USDⓈ-M futures that the core asks the venue for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ....core.backoff import CallLimit
from ....core.kinds import IncomeKind

TIME_GRAIN_MS = 1
"""The grain of times, ms: rows of fills and orders have the same milliseconds as frames."""
FAILING_CALLS = CallLimit(20, 60.0)
"""The limit of failing calls, of which no document knows. It only keeps a mistake that repeats itself from using more
than a little of the weight of a minute."""
BY_FILL, FUNDING = "ORDER", "FUNDING_FEE"
"""The causes of an account push for an executed order, and for paid funding."""
INCOME: Mapping[str, IncomeKind] = MappingProxyType(
    {
        "COMMISSION": IncomeKind.FEE,
        "REALIZED_PNL": IncomeKind.PNL,
        FUNDING: IncomeKind.FUNDING,
        "SPECIAL_FUNDING_FEE": IncomeKind.FUNDING,
    }
)
"""Types of income, with two of funding since 2026-09; all other types are transfers and the like."""
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
"""The events that a socket asks for, by their names on the wire: an unknown name is ignored without an error, and an
event that is not named never comes. TRADE_LITE is left out: it repeats a fill without its fee and its interval of the
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
"""The venue pings every three minutes and pushes nothing else to an idle account, so liveness is probed. A dead key is
noticed at its renewal. The key is shared by the account, so a deletion ends it for all clients. A read weighs about
130 of the 2400 that one address has in a minute."""
