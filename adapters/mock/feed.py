"""Interrupts a mock stream and ends the interruption, under the user's clock: gaps, health, and held events."""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import msgspec

from ...core.events import (
    AccountUpdate,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    GapNotice,
    GapReason,
    Health,
    HealthChange,
    OrderState,
)
from ...core.ids import digest_id
from .books import Books
from .progress import Progress
from .script import Script

K = ExchangeEventKind

Word = TypeVar("Word", bound=StrEnum)

_BLIND = {GapReason.LOST_SOCKET, GapReason.SILENT, GapReason.KEY_GONE, GapReason.OVERSIZED}


def chosen(words: type[Word], name: str, value: str) -> Word:
    """Return the member with this value. Raises `ValueError`, which lists the allowed ones."""
    try:
        return words(value)
    except ValueError:
        raise ValueError(f"{name} must be one of {', '.join(words)}, not {value!r}") from None


class Feed(Script):
    """A script whose events are held while the link is away. Time is `exchange_ms`, moved only by `advance`."""

    def __init__(self, exchange_ms: int, asset: str, balance: Decimal) -> None:
        super().__init__(Progress(exchange_ms, Books(asset, balance)))
        self.exchange_ms = exchange_ms
        self.fed: list[ExchangeEvent] = []
        """All events that streams have delivered or will deliver, in order."""
        self._health = Health.LIVE
        self._gap: GapNotice | None = None
        self._names = 0
        self._withheld: list[ExchangeEvent] = []

    def advance(self, seconds: float) -> None:
        """Move exchange time ahead."""
        if seconds < 0:
            raise ValueError("exchange time never goes back")
        self.exchange_ms += round(seconds * 1000)

    def gap(self, reason: GapReason | str = GapReason.LOST_SOCKET) -> None:
        """Deliver GAP_OPENED and the change of health.

        A reason that takes the link away makes the stream BLIND: events fed from now on come with `reconnect`.
        Another reason makes it SUSPECT, and events are still delivered.
        """
        if self._gap is not None:
            raise RuntimeError("a gap is open already")
        self._gap = self._notice(K.GAP_OPENED, chosen(GapReason, "reason", reason), self.exchange_ms, 0, False)
        self._deliver_now(self._gap)
        self.health(Health.BLIND if self._gap.reason in _BLIND else Health.SUSPECT)

    def reconnect(self, *, proven: bool = True) -> None:
        """Close the gap: deliver the account, missed events as a read shows them, GAP_CLOSED, if BLIND RECONNECTED."""
        if self._gap is None:
            raise RuntimeError("no gap is open")
        gap, missed, blind = self._gap, self._withheld, self._blind
        self._gap, self._withheld = None, []
        self._deliver_now(self._whole())
        last = {event.order_id: event for event in missed if isinstance(event, OrderState)}
        for event in missed:  # a read shows fills and money, but of each order only its last state
            passing = (
                isinstance(event, OrderState) and not isinstance(event, Fill) and last[event.order_id] is not event
            )
            if not passing and not isinstance(event, AccountUpdate):
                self._deliver_now(msgspec.structs.replace(event, source="poll", frame=None))
        recovered = sum(isinstance(event, Fill) for event in missed)
        for kind in (K.GAP_CLOSED, K.RECONNECTED) if blind else (K.GAP_CLOSED,):
            self._deliver_now(self._notice(kind, gap.reason, gap.since, recovered, proven))
        self.health(Health.LIVE)

    def health(self, health: Health | str) -> None:
        """Deliver HEALTH, unless it is this already."""
        now = chosen(Health, "health", health)
        if now is not self._health:
            self._health = now
            state = "BACKOFF" if now is Health.BLIND else "CONNECTED"
            name, at = self._unique(K.HEALTH), self.exchange_ms
            self._deliver_now(HealthChange(event_id=name, exchange_ts=at, source="local", health=now, state=state))

    @abstractmethod
    def _whole(self) -> AccountUpdate:
        """The account as a read would show it now."""

    @property
    def _blind(self) -> bool:
        return self._gap is not None and self._gap.reason in _BLIND

    def _deliver(self, event: ExchangeEvent) -> None:
        """Deliver the event, or, while the link is away, hold it until `reconnect`."""
        if self._blind and event.source != "local":
            self._withheld.append(event)
        else:
            self._deliver_now(event)

    def _deliver_now(self, event: ExchangeEvent) -> None:
        self.fed.append(event)
        self.put(event)

    def _notice(self, kind: K, reason: GapReason, since: int | None, recovered: int, proven: bool) -> GapNotice:
        return GapNotice(
            kind=kind,
            event_id=self._unique(kind),
            exchange_ts=self.exchange_ms,
            source="local",
            reason=reason,
            since=since,
            recovered=recovered,
            proven=proven,
        )

    def _unique(self, kind: ExchangeEventKind) -> str:
        self._names += 1
        return digest_id(kind, self.exchange_ms, self._names)
