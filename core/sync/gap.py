"""The stretch that is not proven: opened once, however many things go wrong in it, and closed by a read that passes."""

from __future__ import annotations

from ..context import Context
from ..events import ExchangeEventKind, GapNotice, GapReason
from ..ids import digest_id


class Gap:
    """At most one is open. A blind stretch, in which no link was proven, has an event of its own when it ends."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reason: GapReason | None = None
        self._since: int | None = None
        self._recovered = 0
        self._blind: tuple[GapReason, int | None] | None = None
        self._unproven_at = float("-inf")
        self._written_off = False

    @property
    def is_open(self) -> bool:
        """True while a stretch is not proven."""
        return self._reason is not None

    def open(
        self, reason: GapReason, since: int | None, *, blind: bool = False, proven_by: float | None = None
    ) -> None:
        """Something may be missed since this exchange time; a read asked for from `proven_by` on, or now, proves it."""
        self._unproven_at = max(self._unproven_at, self._context.now if proven_by is None else proven_by)
        if blind and self._blind is None:
            self._blind = (reason, since)
        if self._reason is None:
            self._reason, self._since, self._recovered = reason, since, 0
            self._deliver(ExchangeEventKind.GAP_OPENED, reason, since, proven=False)

    def require_read(self) -> None:
        """A link is proven only now: the read that closes the gap must be asked for from here on."""
        self._unproven_at = self._context.now

    def write_off(self) -> None:
        """Something in the stretch will never be known: when it closes, it is not proven."""
        self._written_off = True

    def recovered(self, fills: int) -> None:
        """So many fills of the stretch have been recovered."""
        self._recovered += fills

    def close(self, asked_at: float, *, proven: bool) -> None:
        """A read asked for at that time has passed: close the gap, unless there was trouble since.

        `proven` is False when the venue's history does not reach back to where the stretch began.
        """
        if asked_at < self._unproven_at:
            return
        proven, self._written_off = proven and not self._written_off, False
        if self._reason is not None:
            reason, self._reason = self._reason, None
            self._deliver(ExchangeEventKind.GAP_CLOSED, reason, self._since, proven=proven)
        if self._blind is not None:
            (reason, since), self._blind = self._blind, None
            self._deliver(ExchangeEventKind.RECONNECTED, reason, since, proven=proven)

    def _deliver(self, kind: ExchangeEventKind, reason: GapReason, since: int | None, *, proven: bool) -> None:
        self._context.health_dirty = True
        ts = self._context.exchange_time()
        self._context.deliver(
            GapNotice(
                kind=kind,
                event_id=digest_id(kind, ts, reason, since, self._recovered, proven, self._context.now),
                exchange_ts=ts,
                source="local",
                reason=reason,
                since=since,
                recovered=self._recovered,
                proven=proven,
            )
        )
