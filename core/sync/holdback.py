"""Where word of the account waits: while the account is read after an interruption, or for the copy that goes first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..context import Context
from ..excerpt import Excerpt
from ..frames import Frame
from ..reports import AccountReport, ConfigReport, OrderReport, Unrecognised
from ..timers import Timer


class Pushed(msgspec.Struct, frozen=True, gc=False):
    """A push of balances and positions, and the socket that brought it.

    `arrived_ts` is the time that it names, else when it came, by the exchange's clock, ms.
    """

    report: AccountReport
    link: int
    arrived_ts: int


Holdable = OrderReport | Pushed | ConfigReport | Unrecognised | Excerpt
"""Anything that is, or may be, about the account."""


class HoldbackQueue:
    """Holds frames while the account is read, and those that wait for their copy."""

    def __init__(self, context: Context, handlers: Mapping[type, Callable[[Any, Frame], None]]) -> None:
        self._context = context
        self._handlers = handlers
        """Where word goes from here, by its class."""
        self._held: list[tuple[Holdable, Frame]] = []
        self._copies: deque[tuple[float, Holdable, Frame]] = deque()
        self.holding = False

    def admit(self, report: Holdable, frame: Frame, leads: bool) -> None:
        """Pass word on, unless all of it is held or, of a link that does not lead, the leader's copy comes first."""
        if leads and not self.holding:
            self._handlers[type(report)](report, frame)
        elif leads:
            self._held.append((report, frame))
        else:
            self._copies.append((self._context.now + self._context.policy.reorder_window, report, frame))
            if len(self._copies) == 1:
                self._context.arm((Timer.COPIES, 0), self._context.policy.reorder_window)

    def keep(self, report: Holdable, frame: Frame) -> None:
        """Keep word of a link that is not proven yet, for `hold_limit` at most: what follows its proof comes first."""
        if not (self._held or self.holding):
            self._context.arm((Timer.HOLD, 0), self._context.policy.hold_limit)
        self._held.append((report, frame))

    def hold(self) -> None:
        """Hold everything from now on, for `hold_limit` at most; for what is kept already that time has begun."""
        if self.holding or not self._held:
            self._context.arm((Timer.HOLD, 0), self._context.policy.hold_limit)
        self.holding = True

    def release(self) -> None:
        """Pass on what is held, and hold nothing more."""
        self.holding = False
        self._context.timers.cancel((Timer.HOLD, 0))
        held, self._held = self._held, []
        for report, frame in held:
            self._handlers[type(report)](report, frame)

    def release_copies(self, *, all_of_them: bool = False) -> None:
        """Pass on the copies that have waited long enough, or all: the leader's will not come any more."""
        while self._copies and (all_of_them or self._copies[0][0] <= self._context.now):
            _, report, frame = self._copies.popleft()
            self.admit(report, frame, leads=True)
        if self._copies:
            self._context.timers.arm((Timer.COPIES, 0), self._copies[0][0])
        else:
            self._context.timers.cancel((Timer.COPIES, 0))
