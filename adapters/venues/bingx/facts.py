"""Facts of BingX on every market that the core leaves to the venue."""

from __future__ import annotations

from ....core.backoff import CallLimit
from ....core.kinds import IncomeKind

TIME_GRAIN_MS = 1000
"""Whole seconds: so are the times of fills, and of orders that are over."""
FAILING_CALLS = CallLimit(15, 480.0)
"""At 20 in 480 s an endpoint is locked; the venue's own error text names both numbers."""
BY_FILL, FUNDING = "ORDER", "FUNDING_FEE"
"""Causes of an account push: an order was executed, funding was paid."""
INCOME = {"TRADING_FEE": IncomeKind.FEE, "REALIZED_PNL": IncomeKind.PNL, FUNDING: IncomeKind.FUNDING}
"""Types of income; those that are not here are transfers and the like."""
