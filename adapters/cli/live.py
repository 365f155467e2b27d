"""The live view on a terminal, drawn about eight times a second; at any end the terminal is restored."""

from __future__ import annotations

import anyio
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from ...core.events import ExchangeEvent
from ..driver.stream import Stream
from .background import background
from .exits import Closed
from .model import StreamModel
from .outputs import keep_sampling
from .verdict import Verdict
from .view import View

FRAME = 0.125


class LiveOutput:
    """Shows a run as a picture, and then its verdict as a panel below what the terminal showed before."""

    def __init__(self, model: StreamModel) -> None:
        self._model = model
        self._console = Console()

    async def deliver(self, event: ExchangeEvent) -> None:
        pass

    async def run(self) -> None:
        try:
            with Live(View(self._model), console=self._console, screen=True, auto_refresh=False) as live:
                while True:
                    live.refresh()
                    await anyio.sleep(FRAME)
        except OSError:  # the terminal is gone
            raise Closed from None

    async def conclude(self, verdict: Verdict) -> None:
        counts = self._model.counts
        colour = "red" if verdict.negative else "green"
        text = Text()
        for name, value in verdict.counts.items():
            wrong = (name in ("lost", "doubled") and value) or value in ("DRIFTED", "UNPROVEN")
            text.append(f"{name} ", "dim").append(f"{value}", "bold red" if wrong else "bold").append("   ")
        text.append("\n")
        names = ("renewals", "rotations", "reconnects", "gaps", "recovered")
        text.append("   ".join(f"{counts[name]} {name}" for name in names), "dim")
        text.append("".join(f"\n{line}" for line in verdict.wrong), "red")
        for row in View(self._model).still(min(self._console.width, 100)):
            self._console.print(row, overflow="crop", no_wrap=True)
        title = "something is wrong" if verdict.negative else "nothing lost, nothing twice"
        self._console.print(Panel(text, title=f"[bold]{title}[/]", border_style=colour, expand=False, padding=(1, 3)))


async def follow(stream: Stream, model: StreamModel, *, limit: int | None) -> None:
    """Draw the stream until it ends, or until `limit` events have come."""
    async with background(lambda: keep_sampling(model, stream), LiveOutput(model).run):
        async for event in stream:
            model.take(event)
            if model.counts["events"] == limit:
                return
