"""One call of the door: its instant and the actions it will return, with the timers and numbers that outlive it."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from .actions import Action, Anomaly, Deliver, Report
from .backoff import UNLIMITED, CallLimit
from .events import ExchangeEvent
from .policy import Policy
from .secrets import Secrets
from .timers import Alarms, Name, Timers

Event = TypeVar("Event", bound=ExchangeEvent)
Settlement = Callable[[str, str | None], str | None]

DETAIL_LIMIT = 120
_SECRET = re.compile(r"[0-9A-Za-z+/_-]{24,}")
"""Anything that could be a key, secret or signature."""


def of_its_fee(_symbol: str, _fee_asset: str | None) -> str | None:
    """A fill's PnL is of the asset that its fee was paid in."""
    return None


class Context:
    """The state that the parts of one connection share. Times are the caller's monotonic seconds unless named
    `exchange`.
    """

    __slots__ = (
        "_anomalies",
        "_exchange_anchor",
        "_listeners",
        "_number",
        "actions",
        "alarms",
        "failing_calls",
        "grain",
        "health_dirty",
        "now",
        "policy",
        "rng",
        "secrets",
        "settlement",
        "timers",
    )

    def __init__(
        self,
        policy: Policy,
        seed: int,
        secrets: Secrets | None = None,
        *,
        grain: int = 1,
        failing_calls: CallLimit = UNLIMITED,
        settlement: Settlement = of_its_fee,
    ) -> None:
        self.policy = policy
        self.grain = grain
        """How exact the times of the venue's lists are, ms."""
        self.failing_calls = failing_calls
        """How many failing calls the venue bears."""
        self.settlement = settlement
        """In which asset the PnL of a symbol is, by what its fee was paid in; None where it is that of the fee."""
        self.secrets = Secrets() if secrets is None else secrets
        self.rng = Random(seed)  # noqa: S311 - jitter, not secrets
        self.timers = Timers()
        self.alarms: Alarms = {}
        """The alarms of all timers; each part puts its own here."""
        self.now = float("-inf")
        self.actions: list[Action] = []
        self.health_dirty = True
        """True if something that health depends on may have changed in this call."""
        self._listeners: dict[type[ExchangeEvent], list[Callable[[Any], None]]] = {}
        self._number = 0
        self._anomalies: dict[str, int] = {}
        self._exchange_anchor: tuple[int, float] | None = None

    def number(self) -> int:
        """A fresh number for a request or a socket."""
        self._number += 1
        return self._number

    def emit(self, action: Action) -> None:
        """Return this action from the call under way."""
        self.actions.append(action)

    def listen(self, to: type[Event], listener: Callable[[Event], None]) -> None:
        """Call `listener` with every delivered event of exactly this class."""
        self._listeners.setdefault(to, []).append(listener)

    def deliver(self, event: ExchangeEvent) -> None:
        """Return this event from the call under way."""
        self.actions.append(Deliver(event))
        listeners = self._listeners.get(type(event))
        if listeners is not None:
            for listener in listeners:
                listener(event)

    def report(self, name: str, detail: str = "") -> None:
        """Count an anomaly and report it to the operator."""
        count = self._anomalies[name] = self._anomalies.get(name, 0) + 1
        shown = _SECRET.sub("[redacted]", self.secrets.redact(detail))[:DETAIL_LIMIT]
        self.actions.append(Report(Anomaly(name, shown, count)))

    def arm(self, name: Name, after: float) -> None:
        """Arm a timer so many seconds from now."""
        self.timers.arm(name, self.now + after)

    def set_exchange_time(self, exchange_ms: int) -> None:
        """The venue's clock says this now."""
        self._exchange_anchor = (exchange_ms, self.now)

    def exchange_time(self) -> int | None:
        """The venue's clock now, in ms: its last word plus the monotonic time since; None before the first word."""
        if self._exchange_anchor is None:
            return None
        exchange_ms, heard_at = self._exchange_anchor
        return exchange_ms + int((self.now - heard_at) * 1000)
