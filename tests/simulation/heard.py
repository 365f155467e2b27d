"""The frames heard whose content must be delivered: those that cannot be read, and fills in frames of odd form."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from listenkey.adapters.simulator.orders import Fill
from listenkey.core import actions, inputs
from listenkey.core.events import Unknown
from listenkey.core.link.link import Phase

from .forms import Sent
from .process import Process
from .violation import Violation

DELIVERED_WITHIN = 5.0
"""Seconds: frames are held for 3 at most, and one that waits for another is delivered soon after that."""
DELIVERED_LATELY = 1.1
"""Seconds: of several frames of one shape, one is delivered in this time and stands for the others."""
READ_WITHIN, READ_LATELY = 5.0, 3600.0
"""Seconds from an unreadable frame to a read of the account; twice as many after each such read, up to the latter."""


class Heard:
    """The frames that one process has heard. `is_delivered`, asked later, is true of a fill that was delivered."""

    def __init__(self, sent: Sent, is_delivered: Callable[[Fill], bool]) -> None:
        self._sent = sent
        self._is_delivered = is_delivered
        self._undelivered: deque[float] = deque()
        self._fills: deque[tuple[float, Fill]] = deque()
        self._doubted_at: float | None = None
        """When a frame came that cannot be read, if the account has not been read since."""
        self._reads = 0
        self._unsure_at = float("-inf")

    def handled(
        self, process: Process, now: float, received: inputs.Input, ordered: Sequence[actions.Action], *, unsure: bool
    ) -> None:
        """A step of the process is done. `unsure`: a gap is open, so fills may wait, and others look after them."""
        if isinstance(received, inputs.FrameReceived) and isinstance(received.data, (bytes, str)):
            self._listen(process, now, received.socket, received.data)
        for action in ordered:
            if isinstance(action, actions.ReadAccount) and self._doubted_at is not None:
                self._doubted_at = None
                self._reads += 1
            elif isinstance(action, actions.Deliver) and isinstance(action.event, Unknown):
                self._delivered(action.event)
        if self._undelivered and now > self._undelivered[0] + DELIVERED_WITHIN + DELIVERED_LATELY:
            raise Violation(
                "heard-is-delivered", f"an unreadable frame, heard at {self._undelivered[0]:.3f}, is not delivered"
            )
        if unsure:
            self._unsure_at = now
            self._fills.clear()
        self._expect_read(now)
        while self._fills and now > self._fills[0][0] + DELIVERED_WITHIN:
            at, fill = self._fills.popleft()
            if not self._is_delivered(fill):
                raise Violation("heard-is-delivered", f"{fill}, heard in an odd frame at {at:.3f}, is not delivered")

    def _listen(self, process: Process, now: float, socket: int, data: bytes | str) -> None:
        phases = {link.socket: link.phase for link in process.connection.links}
        phase = phases.get(socket, Phase.OPENING)
        if phase is Phase.OPENING:
            return
        if data in self._sent.unreadable:
            self._undelivered.append(now)
            if phase is Phase.LIVE and self._doubted_at is None:
                self._doubted_at = now
        fill = self._sent.fills.get(data)
        began = process.connection.began
        if fill is not None and began is not None and fill.ts >= began:
            self._fills.append((now, fill))

    def _delivered(self, event: Unknown) -> None:
        if isinstance(event.raw, dict) and {"base64", "length"} <= event.raw.keys():
            for _ in range(min(event.count, len(self._undelivered))):
                self._undelivered.popleft()

    def _expect_read(self, now: float) -> None:
        if self._doubted_at is None:
            return
        patience = DELIVERED_WITHIN + min(READ_LATELY, READ_WITHIN * 2 ** min(self._reads, 10))
        if now > max(self._doubted_at, self._unsure_at) + patience:
            raise Violation(
                "heard-is-delivered", f"nothing was read for a frame that cannot be, heard at {self._doubted_at:.3f}"
            )
