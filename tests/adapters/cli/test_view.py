"""The picture: overlapping links are drawn in two rows, blindness is a hole, and all fits in 80 by 24 characters."""

from __future__ import annotations

import io
import logging
import math
from decimal import Decimal
from typing import Any, cast

import pytest
from rich.console import Console

from listenkey.adapters.cli.model import LinkTrack, Span, StreamModel
from listenkey.adapters.cli.timeline import Window, lanes, row_of
from listenkey.adapters.cli.view import View
from listenkey.core import actions, inputs
from listenkey.core.events import ExchangeEventKind, GapNotice, GapReason, Health, HealthChange
from listenkey.core.link.lifecycle import State
from listenkey.core.link.link import Phase
from listenkey.core.policy import Policy

from .test_verdict import delivery


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Key:
    number, valid_for, gone, failing, asked_at = 1, 3600.0, False, False, 0.0


class Link:
    def __init__(self, socket: int, phase: Phase) -> None:
        self.socket, self.phase, self.key = socket, phase, Key()

    @property
    def proven(self) -> bool:
        return self.phase in (Phase.LIVE, Phase.DRAINING)


class Stream:
    """The attributes of a stream that the model samples."""

    def __init__(self, state: State, *links: Link) -> None:
        self.state, self.links, self.proven_until = state, links, 1


def health(value: Health) -> HealthChange:
    return HealthChange(event_id="h", exchange_ts=None, source="local", health=value, state="CONNECTED")


def gap(kind: ExchangeEventKind) -> GapNotice:
    reason = GapReason.LOST_SOCKET
    return GapNotice(
        kind=kind, event_id="g", exchange_ts=1, source="local", reason=reason, since=1, recovered=3, proven=True
    )


@pytest.fixture
def model() -> StreamModel:
    """The model of a stream that has rotated, lost its socket, and come back."""
    clock = Clock()
    model = StreamModel("a title", Policy(), clock=clock)

    def sample(until: float, state: State, *links: Link) -> None:
        while clock.now < until:
            model.sample(cast(Any, Stream(state, *links)))
            clock.now += 0.05

    sample(101, State.KEYED, Link(1, Phase.OPENING))
    model.take(health(Health.LIVE))
    sample(106, State.CONNECTED, Link(1, Phase.LIVE))
    sample(107, State.ROTATING, Link(1, Phase.LIVE), Link(2, Phase.OPENING))
    sample(110, State.ROTATING, Link(1, Phase.DRAINING), Link(2, Phase.LIVE))
    sample(112, State.CONNECTED, Link(2, Phase.LIVE))
    model.note("TCP killed", 1)
    model.take(gap(ExchangeEventKind.GAP_OPENED))
    model.take(health(Health.BLIND))
    sample(115, State.BACKOFF)
    sample(118, State.CONNECTED, Link(3, Phase.LIVE))
    model.take(gap(ExchangeEventKind.GAP_CLOSED))
    model.take(health(Health.LIVE))
    for end in range(1, 40):
        model.take(delivery(str(end)))
    sample(120, State.CONNECTED, Link(3, Phase.LIVE))
    return model


def drawn(model: StreamModel, width: int, height: int) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, height=height, force_terminal=True, no_color=True, color_system=None)
    console.print(View(model), height=height, end="")
    return file.getvalue().split("\n")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 60), (40, 10)])
def test_it_fits(model: StreamModel, width: int, height: int) -> None:
    """The picture keeps to the given width and height, and without colour each phase has its own character."""
    rows = drawn(model, width, height)
    assert len(rows) <= height
    assert max(map(len, rows)) <= width
    for glyph in "░█▓":
        assert any(glyph in row for row in rows)


def test_a_rotation_is_seen(model: StreamModel) -> None:
    """While the old link drains, the new one is drawn in the row below it."""
    rows = drawn(model, 80, 24)
    old, new = (next(row for row in rows if row.startswith(" links")), rows[5])
    overlap = [number for number, letter in enumerate(old) if letter == "▓"]
    assert overlap
    assert all(new[number] in "█ 2" for number in overlap)


def test_the_counts(model: StreamModel) -> None:
    """A rotation is not counted as a loss, and a closed gap adds the fills that it recovered."""
    assert model.counts["rotations"] == 1
    assert model.counts["links"] == 3
    assert model.counts["fills"] == 39
    assert model.counts["recovered"] == 3
    assert [round(span.end - span.start) for span in model.blindness] == [1, 6]


@pytest.mark.parametrize(
    ("spans", "shown"),
    [
        ([], "......"),
        ([(0, 30)], "xxxxxx"),
        ([(-50, -40)], "......"),
        ([(-50, 1)], "x....."),
        ([(29, math.inf)], ".....x"),
        ([(12, 12)], "..x..."),
        ([(0, 5), (20, 26)], "x...xx"),
    ],
)
def test_a_strip_of_cells(spans: list[tuple[float, float]], shown: str) -> None:
    """A cell shows each span that touches it; a span that ended before the window is not shown."""
    row = row_of(Window(30, 6), [Span("x", start, end) for start, end in spans])
    assert "".join(cell or "." for cell in row) == shown


def test_cells_stand_still() -> None:
    """Two times within one cell give the same window, and a time in the next cell gives another."""
    assert Window.until(61.0, 30) == Window.until(61.9, 30)
    assert Window.until(61.0, 30) != Window.until(62.0, 30)


def test_anomalies_are_counted_where_they_arise() -> None:
    """Anomalies are counted from the core's reports, not from the log, which leaves some out and has other lines."""
    model = StreamModel("a title", Policy())
    for count in range(1, 4):
        model.observe(1.0, inputs.Tick(), [actions.Report(actions.Anomaly("not gzip", "b'x'", count))])
    model.observe(2.0, inputs.Tick(), [actions.Report(actions.Anomaly("error frame", "", 1)), actions.CreateKey(1)])
    model.warn(
        logging.LogRecord("listenkey", logging.WARNING, "", 0, "%s failed (%d in a row): %s", ("a", 9, "b"), None)
    )
    assert model.anomalies == {"not gzip": 3, "error frame": 1}
    assert "4 anomalies" in View(model)._counters().plain
    assert model.notable[-1][1] == "a failed (9 in a row): b"


def test_links_take_turns() -> None:
    """Odd links are drawn above, even ones below, each with its number if there is room."""
    tracks = [LinkTrack(7, [Span("live", 0, 12)]), LinkTrack(9, [Span("opening", 10, 11), Span("live", 11, 30)])]
    above, below = lanes(Window(30, 30), tracks, 2)
    assert [letter for _, letter in above if letter.strip()] == ["3"]
    assert [letter for _, letter in below if letter.strip()] == ["4"]
    assert [phase for phase, _ in below[9:12]] == [None, "opening", "live"]
    assert above[11][0] == "live"
    assert above[12][0] is None


def test_amounts_are_canonical() -> None:
    """Amounts in a line have no exponent and no trailing zeros."""
    from listenkey.adapters.cli.wording import sentence

    event = delivery("1.50", "0.50", fee=None)
    assert sentence(event) == "part X BUY 0.5 at 10, fee ? USDT"
    assert Decimal("10.0") == event.fill_price


def test_a_revised_fill_says_what_it_is_now() -> None:
    """A revised fill is printed in one line, with its new fee."""
    from listenkey.adapters.cli.wording import sentence
    from listenkey.core.events import Fill, FillRevised

    original = delivery("1.50", "0.50", fee=None)
    same = {name: getattr(original, name) for name in Fill.__struct_fields__ if name not in ("kind", "fee")}
    event = FillRevised(**same, fee=Decimal("0.0200"), replaces=original.event_id)
    assert sentence(event) == "revised X BUY 0.5 at 10, fee 0.02 USDT, pnl " + (
        "?" if original.realized_pnl is None else str(original.realized_pnl)
    )
