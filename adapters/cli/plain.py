"""A stream in plain lines: one for each notable event, and once a second the number of new fills."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from ...core.events import Health
from .model import StreamModel

PAUSE = 0.1


class PlainLines:
    """Writes the notes and counts of a model, with a function that writes a line."""

    def __init__(self, model: StreamModel, write: Callable[[str], Awaitable[None]]) -> None:
        self._model = model
        self._write = write
        self._counted = 0

    async def run(self) -> None:
        """Write until cancelled; fills are counted while the stream is live."""
        model = self._model
        next_count = model.clock() + 1
        while True:
            await self._write_notable()
            if model.clock() >= next_count:
                next_count = model.clock() + 1
                if model.health is Health.LIVE:
                    await self._write_fills()
            await anyio.sleep(PAUSE)

    async def finish(self) -> None:
        """Write the remaining lines; the last count is that of all fills."""
        await self._write_notable()
        await self._write_fills()

    async def _write_notable(self) -> None:
        while self._model.notable:
            at, text = self._model.notable.popleft()
            await self._line(at, text)

    async def _write_fills(self) -> None:
        fills = self._model.counts["fills"]
        more, self._counted = fills - self._counted, fills
        if more:
            await self._line(self._model.clock(), f"{more} fill{'' if more == 1 else 's'}, {fills} in all")

    async def _line(self, at: float, text: str) -> None:
        await self._write(f"{at - self._model.started:6.1f} s  {text}")
