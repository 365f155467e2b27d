"""Ways to show a run to the user: as lines of JSON, or as plain lines; `live` draws it."""

from __future__ import annotations

from typing import Protocol

import anyio
import msgspec

from ...core.events import ExchangeEvent
from ..driver.stream import Stream
from .lines import Lines
from .model import StreamModel
from .plain import PlainLines
from .secrecy import say
from .verdict import Verdict

GLANCE = 0.05


class Output(Protocol):
    """The output of a run: takes its events, runs beside it, and shows its verdict."""

    async def deliver(self, event: ExchangeEvent) -> None:
        """Show an event that the model has taken."""

    async def run(self) -> None:
        """Show the run until cancelled."""

    async def conclude(self, verdict: Verdict) -> None:
        """Show the verdict, after the stream has been closed."""


class JsonOutput:
    """Writes events and the verdict on standard output, and the rest on standard error."""

    def __init__(self, model: StreamModel) -> None:
        self._plain = PlainLines(model, _say)
        self._lines = Lines()

    async def deliver(self, event: ExchangeEvent) -> None:
        await self._lines.write(event.to_json())

    async def run(self) -> None:
        await self._plain.run()

    async def conclude(self, verdict: Verdict) -> None:
        await self._plain.finish()
        for line in verdict.wrong:
            say(line)
        await self._lines.write(msgspec.json.encode({"verdict": verdict.counts}))


class PlainOutput:
    """Writes notable events, line by line, on standard output."""

    def __init__(self, model: StreamModel) -> None:
        self._plain = PlainLines(model, self._write)
        self._lines = Lines()

    async def deliver(self, event: ExchangeEvent) -> None:
        pass

    async def run(self) -> None:
        await self._plain.run()

    async def conclude(self, verdict: Verdict) -> None:
        await self._plain.finish()
        for line in (*verdict.wrong, verdict.sentence):
            await self._write(line)

    async def _write(self, text: str) -> None:
        await self._lines.write(text.encode())


async def keep_sampling(model: StreamModel, stream: Stream) -> None:
    """Sample the stream for the model until cancelled."""
    while True:
        model.sample(stream)
        await anyio.sleep(GLANCE)


async def _say(text: str) -> None:
    say(text)
