"""The cost of a frame as the orders that are known and open become many."""

from __future__ import annotations

from random import Random

from listenkey.core.inputs import FrameReceived

from .desk import EPOCH, PART, ZERO
from .frames import order_text, packed
from .measure import Row, Target, cpu, figure, in_turns, ratios
from .stage import Stage

SUBJECT = "growth"
QTY = PART * 1000
STEP = 0.0000001
"""Seconds of virtual time between frames, so that everything ends before the first audit."""


def run(quick: bool = False) -> list[Row]:
    """Measure a fill of a random order among 10 to 100,000 open ones."""
    sizes, fills, rounds = ((10, 100), 20, 2) if quick else ((10, 1_000, 10_000, 100_000), 500, 15)
    crowds = {size: Crowd(size) for size in sizes}
    turns = {str(size): (lambda crowd=crowd: crowd.fills(fills)) for size, crowd in crowds.items()}
    times = in_turns(turns, rounds)
    rows: list[Row] = []
    for size in sizes:
        each = [spent / fills / 1000 for spent in times[str(size)]]
        rows.append(figure(SUBJECT, f"a fill among {size:,} open orders", "us", each))
    most, few = times[str(sizes[-1])], times[str(sizes[0])]
    note = f"means of all rounds: {sum(most) / sum(few):.2f} x"
    name = f"a frame with {sizes[-1]:,} known orders / with {sizes[0]}"
    rows.append(figure(SUBJECT, name, "x", ratios(most, few), target=Target(most=1.2), note=note))
    return rows


class Crowd:
    """A connection with many open orders, each of which can have many fills."""

    def __init__(self, size: int) -> None:
        self._stage = Stage()
        self._done = [ZERO] * size
        self._random = Random(size)
        self._trades = 0
        for serial in range(size):
            frame = packed(order_text(serial, ZERO, QTY, EPOCH + 1, last=ZERO, trade=0, pnl=ZERO))
            self._hear([frame])
        self._stage.events.clear()

    def fills(self, number: int) -> int:
        """Return the CPU ns for `number` fills; raises unless each was delivered."""
        frames = []
        for _ in range(number):
            serial = self._random.randrange(len(self._done))
            self._done[serial] += PART
            self._trades += 1
            done, at = self._done[serial], self._stage.exchange_ms
            text = order_text(serial, done, QTY, at, last=PART, trade=self._trades, pnl=ZERO)
            frames.append(packed(text))
        delivered = 0

        def work() -> None:
            nonlocal delivered
            delivered = self._hear(frames)

        spent = cpu(work)
        if delivered != number:
            raise AssertionError(f"{delivered} events of {number} fills")
        return spent

    def _hear(self, frames: list[bytes]) -> int:
        stage, delivered = self._stage, 0
        handle, socket = stage.connection.handle, stage.sockets[0]
        for frame in frames:
            stage.now += STEP
            delivered += len(handle(FrameReceived(socket, frame), now=stage.now))
        return delivered
