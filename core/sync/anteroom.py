"""Where word of the account waits: while the account is read after an interruption, or for the copy that goes first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..excerpt import Excerpt
from ..frames import Frame
from ..reports import AccountReport, ConfigReport, OrderReport, Unrecognised
from ..timers import Timer
from ..turn import Turn


class Pushed(msgspec.Struct, frozen=True, gc=False):
    """A push of balances and positions, and the socket that brought it.

    `arrived_ts` is the time that it names, else when it came, by the exchange's clock, ms.
    """

    report: AccountReport
    link: int
    arrived_ts: int


Word = OrderReport | Pushed | ConfigReport | Unrecognised | Excerpt
"""What is, or may be, about the account."""


class Anteroom:
    """Holds frames while the account is read, and those that wait for their copy."""

    def __init__(self, turn: Turn, passing: Mapping[type, Callable[[Any, Frame], None]]) -> None:
        self._turn = turn
        self._passing = passing
        """Where word goes from here, by its class."""
        self._held: list[tuple[Word, Frame]] = []
        self._copies: deque[tuple[float, Word, Frame]] = deque()
        self.holding = False

    def take(self, word: Word, frame: Frame, leads: bool) -> None:
        """Pass word on, unless all of it is held or, of a link that does not lead, the leader's copy comes first."""
        if leads and not self.holding:
            self._passing[type(word)](word, frame)
        elif leads:
            self._held.append((word, frame))
        else:
            self._copies.append((self._turn.now + self._turn.policy.reorder_window, word, frame))
            if len(self._copies) == 1:
                self._turn.arm((Timer.COPIES, 0), self._turn.policy.reorder_window)

    def hold(self) -> None:
        """Hold everything from now on, for `hold_limit` at most."""
        self.holding = True
        self._turn.arm((Timer.HOLD, 0), self._turn.policy.hold_limit)

    def release(self) -> None:
        """Pass on what is held, and hold nothing more."""
        self.holding = False
        self._turn.timers.cancel((Timer.HOLD, 0))
        held, self._held = self._held, []
        for word, frame in held:
            self._passing[type(word)](word, frame)

    def release_copies(self, *, all_of_them: bool = False) -> None:
        """Pass on the copies that have waited long enough, or all: nobody goes before them any more."""
        while self._copies and (all_of_them or self._copies[0][0] <= self._turn.now):
            _, word, frame = self._copies.popleft()
            self.take(word, frame, leads=True)
        if self._copies:
            self._turn.timers.arm((Timer.COPIES, 0), self._copies[0][0])
        else:
            self._turn.timers.cancel((Timer.COPIES, 0))
