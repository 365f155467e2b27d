"""Ways to show a run to whoever started it: as lines of JSON, or as plain lines; `live` draws it."""

from __future__ import annotations

from typing import Protocol

import anyio
import msgspec

from ...core.events import ExchangeEvent
from ..driver.stream import Stream
from .board import Board
from .lines import Lines
from .narrator import Narrator
from .secrecy import say
from .verdict import Verdict

GLANCE = 0.05


class Show(Protocol):
    """Of a run: what it is told, what goes on meanwhile, how it ended."""

    async def tell(self, event: ExchangeEvent) -> None:
        """An event that the board has taken."""

    async def run(self) -> None:
        """Until cancelled."""

    async def conclude(self, verdict: Verdict) -> None:
        """After the stream has been closed."""


class JsonShow:
    """Events and the verdict on standard output, the rest on standard error."""

    def __init__(self, board: Board) -> None:
        self._narrator = Narrator(board, _say)
        self._lines = Lines()

    async def tell(self, event: ExchangeEvent) -> None:
        await self._lines.write(event.to_json())

    async def run(self) -> None:
        await self._narrator.run()

    async def conclude(self, verdict: Verdict) -> None:
        await self._narrator.finish()
        for line in verdict.wrong:
            say(line)
        await self._lines.write(msgspec.json.encode({"verdict": verdict.counts}))


class PlainShow:
    """What is notable, line by line on standard output."""

    def __init__(self, board: Board) -> None:
        self._narrator = Narrator(board, self._write)
        self._lines = Lines()

    async def tell(self, event: ExchangeEvent) -> None:
        pass

    async def run(self) -> None:
        await self._narrator.run()

    async def conclude(self, verdict: Verdict) -> None:
        await self._narrator.finish()
        for line in (*verdict.wrong, verdict.sentence):
            await self._write(line)

    async def _write(self, text: str) -> None:
        await self._lines.write(text.encode())


async def keep_looking(board: Board, stream: Stream) -> None:
    """Look at the stream for the board, until cancelled."""
    while True:
        board.look(stream)
        await anyio.sleep(GLANCE)


async def _say(text: str) -> None:
    say(text)
