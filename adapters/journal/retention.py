"""The retention of stored events: they stay until no run that resumes can need them."""

from __future__ import annotations

import sqlite3

_EVERY = 60_000
"""Exchange time, ms, between two sweeps."""
_ROWS = 5000
_ORDERS = 500
"""The most rows and orders that are swept in one transaction."""

_LOOSE = """
DELETE FROM events WHERE serial IN (
    SELECT serial FROM events WHERE order_key IS NULL AND at < :edge AND serial <= :mark LIMIT :limit
) RETURNING serial"""
_WHOLE = """
DELETE FROM events WHERE order_key IN (
    SELECT order_key FROM events WHERE order_key IS NOT NULL GROUP BY order_key
    HAVING max(ends) AND max(at) < :edge AND max(serial) <= :mark LIMIT :limit
) RETURNING serial"""


class Retention:
    """Keeps events for `retain` seconds of exchange time behind `proven_until`, and those of open orders for longer."""

    def __init__(self, retain: float) -> None:
        self._retain = int(retain * 1000)
        self.swept_to: int | None = None
        """Exchange time, ms, up to which everything is swept that can be."""

    def sweep(self, connection: sqlite3.Connection, proven_until: int, mark: int) -> int | None:
        """Delete marked events that are old enough, a bounded number; return `swept_to` for after the commit."""
        edge = proven_until - self._retain
        if self.swept_to is not None and edge < self.swept_to + _EVERY:
            return self.swept_to
        bounds = {"edge": edge, "mark": mark}
        loose = connection.execute(_LOOSE, {**bounds, "limit": _ROWS}).fetchall()
        whole = connection.execute(_WHOLE, {**bounds, "limit": _ORDERS}).fetchall()
        if loose or whole:
            connection.execute("UPDATE state SET swept = max(swept, ?)", max(loose + whole))
        return self.swept_to if len(loose) == _ROWS or len(whole) >= _ORDERS else edge
