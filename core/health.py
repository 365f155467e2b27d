"""How far the stream can be trusted, judged after every call that may have changed it, and delivered where it did."""

from __future__ import annotations

from .events import ExchangeEventKind, Health, HealthChange
from .ids import digest_id
from .link.upkeep import Upkeep
from .sync.continuity import Continuity
from .turn import Turn


class Vitals:
    """The health that was delivered last. With `polls` it is reads that show life, else links."""

    def __init__(self, turn: Turn, upkeep: Upkeep, continuity: Continuity, *, polls: bool) -> None:
        self._turn = turn
        self._upkeep = upkeep
        self._continuity = continuity
        self._polls = polls
        self.health = Health.BLIND

    def judge(self) -> Health:
        """What the health is now."""
        proven = self._continuity.polled if self._polls else self._upkeep.links.proven
        if self._upkeep.stopped or not proven:
            return Health.BLIND
        suspect = self._continuity.gap_open or self._upkeep.suspect
        return Health.SUSPECT if suspect else Health.LIVE

    def tell(self) -> None:
        """Deliver the health, if it is another than before."""
        health = self.judge()
        if health is self.health:
            return
        self.health = health
        kind, ts, state = ExchangeEventKind.HEALTH, self._turn.exchange_time(), self._upkeep.state.value
        self._turn.deliver(
            HealthChange(
                event_id=digest_id(kind, ts, health, state, self._turn.now),
                exchange_ts=ts,
                source="local",
                health=health,
                state=state,
            )
        )
