"""What happens to a stream, told in plain lines: one for each notable thing, and once a second how many fills came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from ...core.events import Health
from .board import Board

TURN = 0.1


class Narrator:
    """Tells what a board holds, line by line, by whatever writes a line."""

    def __init__(self, board: Board, write: Callable[[str], Awaitable[None]]) -> None:
        self._board = board
        self._write = write
        self._told = 0

    async def run(self) -> None:
        """Tell until cancelled; fills are counted while the stream is live."""
        board = self._board
        next_count = board.clock() + 1
        while True:
            await self._tell_notable()
            if board.clock() >= next_count:
                next_count = board.clock() + 1
                if board.health is Health.LIVE:
                    await self._tell_fills()
            await anyio.sleep(TURN)

    async def finish(self) -> None:
        """Tell what has not been told: the last count is of all fills."""
        await self._tell_notable()
        await self._tell_fills()

    async def _tell_notable(self) -> None:
        while self._board.notable:
            at, text = self._board.notable.popleft()
            await self._line(at, text)

    async def _tell_fills(self) -> None:
        fills = self._board.counts["fills"]
        more, self._told = fills - self._told, fills
        if more:
            await self._line(self._board.clock(), f"{more} fill{'' if more == 1 else 's'}, {fills} in all")

    async def _line(self, at: float, text: str) -> None:
        await self._write(f"{at - self._board.started:6.1f} s  {text}")
