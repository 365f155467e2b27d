"""How far the stream can be trusted, judged after every call that may have changed it, and delivered where it did."""

from __future__ import annotations

from .context import Context
from .events import ExchangeEventKind, Health, HealthChange
from .ids import digest_id
from .link.supervisor import Supervisor
from .sync.continuity import Continuity


class Vitals:
    """The health that was delivered last. With `polls` it is reads that show life, else links."""

    def __init__(self, context: Context, supervisor: Supervisor, continuity: Continuity, *, polls: bool) -> None:
        self._context = context
        self._supervisor = supervisor
        self._continuity = continuity
        self._polls = polls
        self.health = Health.BLIND

    def judge(self) -> Health:
        """Return the health as it is now."""
        proven = self._continuity.polled if self._polls else self._supervisor.pair.proven
        if self._supervisor.stopped or not proven:
            return Health.BLIND
        suspect = self._continuity.gap_open or self._supervisor.suspect
        return Health.SUSPECT if suspect else Health.LIVE

    def deliver(self) -> None:
        """Deliver the health, if it is another than before."""
        health = self.judge()
        if health is self.health:
            return
        self.health = health
        kind, ts, state = ExchangeEventKind.HEALTH, self._context.exchange_time(), self._supervisor.state.value
        self._context.deliver(
            HealthChange(
                event_id=digest_id(kind, ts, health, state, self._context.now),
                exchange_ts=ts,
                source="local",
                health=health,
                state=state,
            )
        )
