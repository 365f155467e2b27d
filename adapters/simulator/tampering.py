"""Carries out the faults of frames: one is lost or repeated, two of one order are swapped, or all are late."""

from __future__ import annotations

from collections import deque

from .faults import Faults
from .pushes import AccountPush, OrderPush, Push


class Tampering:
    """Takes frames one by one, and returns those to send; without a fault they are the same. Times are seconds."""

    def __init__(self, faults: Faults) -> None:
        self._done: list[tuple[str, str]] = []
        self._faults = faults
        self._held: tuple[int, bytes, float] | None = None
        self._lose_account = False
        self._late: deque[tuple[float, bytes]] = deque()

    def take_done(self) -> list[tuple[str, str]]:
        """Return the faults that were carried out since the last call, each with its order."""
        done, self._done = self._done, []
        return done

    def pass_on(self, push: Push, data: bytes, now: float) -> list[bytes]:
        """Return the frames to send now in place of this one."""
        frames = self._tampered(push, data, now)
        behind = self._faults.active("stream_behind", now)
        if behind is None and not self._late:
            return frames
        due = now if behind is None else now + float(behind["by"])
        last = self._late[-1][0] if self._late else due
        self._late.extend((max(due, last), frame) for frame in frames)
        return []

    def overdue(self, now: float) -> list[bytes]:
        """Return the late frames that are due, and a held frame if no second one of its order came in time."""
        frames = []
        while self._late and self._late[0][0] <= now:
            frames.append(self._late.popleft()[1])
        if self._held is not None and now >= self._held[2]:
            frames.append(self._held[1])
            self._held = None
        return frames

    def _tampered(self, push: Push, data: bytes, now: float) -> list[bytes]:
        if isinstance(push, AccountPush) and self._lose_account:
            self._lose_account = False
            return []
        if not isinstance(push, OrderPush):
            return [data]
        if self._held is not None and self._held[0] == push.order.id:
            _, earlier, _ = self._held
            self._held = None
            self._faults.take("reorder_frames", now)
            self._note("reorder_frames", push)
            return [data, earlier]
        if push.fill is not None:
            if fault := self._faults.take("lose_frame", now):
                self._lose_account = bool(fault["account"])
                self._note("lose_frame", push)
                return []
            if self._faults.take("repeat_frame", now):
                self._note("repeat_frame", push)
                return [data, data]
        if self._held is None and push.order.open and (fault := self._faults.active("reorder_frames", now)):
            self._held = (push.order.id, data, now + fault["within"])
            return []
        return [data]

    def _note(self, name: str, push: OrderPush) -> None:
        self._done.append((name, f"{push.order.symbol} {push.order.id} {push.order.executed}"))
