"""The live picture of a stream, drawn with rich from a model: 80 by 24 characters are enough, more are used."""

from __future__ import annotations

import math

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ...core.events import AccountUpdate, ExchangeEvent, ExchangeEventKind, Fill, Health
from . import wording
from .model import GapRecord, Span, StreamModel
from .timeline import SECONDS, Window, lanes, row_of

LABEL = 9
LEVELS = " ▁▂▃▄▅▆▇█"
LINGER = 0.6
HEALTH = {Health.LIVE: "bold green", Health.SUSPECT: "bold yellow", Health.BLIND: "bold red"}
PHASES = {
    "opening": ("░", "cyan"),
    "proving": ("▒", "blue"),
    "live": ("█", "green"),
    "draining": ("▓", "yellow"),
}
KINDS = {
    ExchangeEventKind.GAP_OPENED: "red",
    ExchangeEventKind.GAP_CLOSED: "green",
    ExchangeEventKind.RECONNECTED: "green",
    ExchangeEventKind.PARTIAL_FILL: "",
    ExchangeEventKind.FULL_FILL: "",
    ExchangeEventKind.FILL_REVISED: "cyan",
    ExchangeEventKind.UNKNOWN: "yellow",
}


class View:
    """A renderable that shows the model as it is at the time of drawing."""

    def __init__(self, model: StreamModel) -> None:
        self._model = model

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or options.max_height
        rows = self.rows(width, height)
        for number, row in enumerate(rows, 1):
            row.truncate(width, overflow="ellipsis")
            row.end = "" if number == len(rows) else "\n"
            yield row

    def rows(self, width: int, height: int) -> list[Text]:
        """Return `height` rows; the last events fill those that the rest leaves."""
        now = self._model.clock()
        gaps = self._gaps(now, 3 if height < 30 else 5)
        head = [self._title(now, width), self._status(now), self._happening(now), *self._picture(now, width), Text()]
        head += [self._key(now), *gaps, Text()]
        foot = [Text(), self._counters()]
        return [*head, *self._events(max(0, height - len(head) - len(foot))), *foot][:height]

    def still(self, width: int) -> list[Text]:
        """Return the rows to keep after the end: the picture and the gaps."""
        now = self._model.clock()
        return [self._title(now, width), *self._picture(now, width), Text(), *self._gaps(now, 8), Text()]

    def _title(self, now: float, width: int) -> Text:
        model = self._model
        clock = _duration(now - model.started)
        title = f" {model.title}"
        return Text(title + clock.rjust(width - len(title) - 1) + " ", style="bold reverse")

    def _status(self, now: float) -> Text:
        model = self._model
        row = Text(" ")
        row.append(f"● {model.health.value}", HEALTH[model.health])
        row.append(f" for {_seconds(now - model.health_since)}", "dim")
        row.append(f"   {model.state.value}", "bold")
        row.append(f" for {_seconds(now - model.state_since)}", "dim")
        if model.read_at is not None:
            row.append("   account read ", "dim").append(f"{_seconds(now - model.read_at)}").append(" ago", "dim")
        return row

    def _happening(self, now: float) -> Text:
        doing = [note.what for note in self._model.notes if note.start <= now <= note.end + LINGER]
        return Text(f" ⚡ {doing[-1]}" if doing else "", "bold magenta")

    def _picture(self, now: float, width: int) -> list[Text]:
        model = self._model
        window = Window.until(now, max(10, width - LABEL - 1))
        first = model.counts["links"] - len(model.tracks)
        links = [
            _labelled(label, row) for label, row in zip(("links", ""), lanes(window, model.tracks, first), strict=True)
        ]
        alive = Span("stream", model.started, now)
        gone = row_of(window, model.blindness)
        stream = [what if blind is None else None for what, blind in zip(row_of(window, [alive]), gone, strict=True)]
        gaps = row_of(window, [Span("gap", each.opened_at, min(each.closed_at, now)) for each in model.gaps])
        notes = row_of(window, model.notes)
        rows = [_axis(window.cells), *links, _mono("heard", stream, "━", "green"), _levels(window, model)]
        rows.append(_mono("gap", gaps, "▀", "red"))
        if model.notes:
            rows.append(_mono("faults", notes, "▲", "magenta"))
        return [*rows, _legend()]

    def _key(self, now: float) -> Text:
        model = self._model
        row = _heading("key")
        if model.key is None or model.renews_at is None:
            return row.append("none", "dim")
        row.append(f"age {_seconds(now - model.key_since)}")
        row.append(f"   {model.counts['renewals']} {_plural('renewal', model.counts['renewals'])} so far", "dim")
        if model.key.gone:
            return row.append("   gone at the venue", "bold red")
        left = max(0.0, model.renews_at - now)
        whole = max(model.renews_at - model.renewed_at, 1e-9)
        done = round(10 * (1 - left / whole))
        row.append(f"   next renewal in {_seconds(left)} ")
        row.append("━" * done, "cyan").append("╌" * (10 - done), "dim")
        return row.append(" failing", "bold yellow") if model.key.failing else row

    def _gaps(self, now: float, count: int) -> list[Text]:
        model = self._model
        rows = [self._gap(record, now) for record in list(model.gaps)[-count:]] or [Text("none so far", "dim")]
        return [_heading("gaps" if number == 0 else "").append(row) for number, row in enumerate(rows)]

    def _gap(self, record: GapRecord, now: float) -> Text:
        row = Text(f"{_duration(record.opened_at - self._model.started)} ")
        row.append(f"{wording.REASONS.get(record.opened.reason, record.opened.reason):<30}")
        if record.closed is None:
            return row.append(f"open for {_seconds(now - record.opened_at)}", "bold red")
        row.append(f"{_seconds(record.closed_at - record.opened_at):>6}  ", "dim")
        row.append(f"{record.closed.recovered} recovered", "green")
        return row.append("" if record.closed.proven else ", not proven", "bold yellow")

    def _events(self, count: int) -> list[Text]:
        delivered = [event for _, event in self._model.events if not _is_routine(event)]
        shown = [_event(event) for event in delivered[-count:]] if count else []
        return shown + [Text() for _ in range(count - len(shown))]

    def _counters(self) -> Text:
        model = self._model
        row = Text(" ")
        for name in ("fill", "event", "rotation", "reconnect"):
            row.append(f"{model.counts[name + 's']}", "bold").append(
                f" {_plural(name, model.counts[name + 's'])}   ", "dim"
            )
        row.append(f"{model.counts['recovered']}", "bold").append(" recovered   ", "dim")
        count = model.anomalies.total()
        return row.append(f"{count}", "bold yellow" if count else "bold").append(_plural(" anomaly", count), "dim")


def _is_routine(event: ExchangeEvent) -> bool:
    """True if the event is an account push that only follows a fill."""
    return isinstance(event, AccountUpdate) and event.reason == "ORDER"


def _event(event: ExchangeEvent) -> Text:
    row = Text(" ")
    if isinstance(event, Fill):
        row.append(f"{'fill':<8}" if event.kind is ExchangeEventKind.FULL_FILL else f"{'part':<8}", "bold green")
        row.append(f"{event.symbol:<10}")
        row.append(f"{event.side or '?':<5}", "cyan" if event.side == "BUY" else "magenta")
        row.append(f"{event.position_side or '':<6}", "dim")
        row.append(f"{wording.amount(event.fill_qty):>9} at {wording.amount(event.fill_price):<10}")
        row.append(f"fee {wording.amount(event.fee)} {event.fee_asset or ''}", "dim")
        return row.append("  recovered", "yellow") if event.source == "poll" else row
    return row.append(wording.sentence(event), KINDS.get(event.kind, "dim"))


def _heading(text: str) -> Text:
    return Text(f" {text:<{LABEL - 1}}", "bold")


def _axis(cells: int) -> Text:
    row = [" "] * cells
    for seconds in (25, 20, 15, 10, 5):
        place, label = cells - round(seconds / SECONDS * cells), f"-{seconds}s"
        row[place : place + len(label)] = label
    row[-3:] = "now"
    return Text(" " * LABEL + "".join(row), "dim")


def _labelled(label: str, cells: list[tuple[str | None, str]]) -> Text:
    row = _heading(label)
    for phase, letter in cells:
        glyph, colour = PHASES.get(phase or "", (" ", ""))
        row.append(letter or glyph, f"bold black on {colour}" if letter else colour)
    return row


def _mono(label: str, cells: list[str | None], glyph: str, colour: str) -> Text:
    return _heading(label).append("".join(" " if cell is None else glyph for cell in cells), colour)


def _levels(window: Window, model: StreamModel) -> Text:
    """The number of fills in each cell: pushed ones are green, recovered ones yellow."""
    counts, recovered = [0] * window.cells, [False] * window.cells
    for at, by_read in model.fills:
        for cell in window.cells_of(Span("fill", at, at)):
            if cell < window.cells:
                counts[cell] += 1
                recovered[cell] |= by_read
    row = _heading("fills")
    for count, by_read in zip(counts, recovered, strict=True):
        level = min(len(LEVELS) - 1, 1 + int(1.25 * math.log2(count))) if count else 0
        row.append(LEVELS[level], "yellow" if by_read else "green")
    return row


def _plural(word: str, count: int) -> str:
    return word if count == 1 else word.removesuffix("y") + "ies" if word.endswith("y") else word + "s"


def _legend() -> Text:
    row = Text(" " * LABEL)
    row.append("link ", "dim")
    for phase, (glyph, colour) in PHASES.items():
        row.append(glyph * 2, colour).append(f" {phase}   ", "dim")
    return row


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else _duration(seconds)
