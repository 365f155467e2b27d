"""Facts of BingX, the same on all its markets, that the core asks the venue for."""

from __future__ import annotations

from ....core.backoff import CallLimit
from ....core.kinds import IncomeKind

TIME_GRAIN_MS = 1000
"""The grain of times, ms: those of fills and of finished orders are whole seconds."""
FAILING_CALLS = CallLimit(15, 480.0)
"""The failing calls that an endpoint may have: at 20 in 480 s the venue locks it, as its error text states."""
BY_FILL, FUNDING = "ORDER", "FUNDING_FEE"
"""The causes of an account push for an executed order, and for paid funding."""
INCOME = {"TRADING_FEE": IncomeKind.FEE, "REALIZED_PNL": IncomeKind.PNL, FUNDING: IncomeKind.FUNDING}
"""Types of income; all other types are transfers and the like."""
