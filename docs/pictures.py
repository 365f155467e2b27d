"""Draws the pictures of architecture.md, as SVG that stands alone: `python docs/pictures.py` writes them anew.

The states come from the table that the machine runs, and a test compares the files with it, the layers with the
imports. Only where things stand is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import NamedTuple

from listenkey.core.link.lifecycle import TABLE, State, Trigger

FOLDER = Path(__file__).parent
STYLE = """
text { font: 12.5px ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif; fill: #26323d; text-anchor: middle; }
.name { font-size: 15px; font-weight: 600; }
.room { font-size: 13.5px; font-weight: 600; }
.soft { fill: #5d6b78; }
.start { text-anchor: start; }
.end { text-anchor: end; }
.ground { fill: #fcfdfe; stroke: #d5dde4; }
.band { fill: #f1f5f8; stroke: #d5dde4; }
.box { fill: #ffffff; stroke: #8a99a8; stroke-width: 1.4; }
.good { fill: #e3f4ec; stroke: #2a7f62; }
.wait { fill: #fdeee2; stroke: #c2571a; }
.arrow { fill: none; stroke: #66727f; stroke-width: 1.5; marker-end: url(#head); }
.wide { stroke: #2a7f62; stroke-width: 3; marker-end: url(#wide); }
.head { fill: #66727f; }
.widehead { fill: #2a7f62; }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e8ec; }
  .soft { fill: #a3afba; }
  .ground { fill: #15191d; stroke: #35404a; }
  .band { fill: #1c2329; stroke: #35404a; }
  .box { fill: #262f37; stroke: #7d8b98; }
  .good { fill: #17392d; stroke: #3fae88; }
  .wait { fill: #44291a; stroke: #e07b3c; }
  .arrow { stroke: #9aa5b1; }
  .wide { stroke: #3fae88; }
  .head { fill: #9aa5b1; }
  .widehead { fill: #3fae88; }
}
"""
HEADS = """<defs>
<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
<path class="head" d="M0 0 10 5 0 10z"/></marker>
<marker id="wide" viewBox="0 0 10 10" refX="7" refY="5" markerWidth="4" markerHeight="4" orient="auto">
<path class="widehead" d="M0 0 10 5 0 10z"/></marker>
</defs>"""


class Arrow(NamedTuple):
    """The way of an arrow, and where its labels stand, one below the other."""

    path: str
    x: int
    y: int
    anchor: str = ""
    gap: int = 16


STATES = {
    State.IDLE: (350, 120, "no link", ""),
    State.KEYED: (350, 260, "a key, and no proof yet", ""),
    State.CONNECTED: (350, 400, "a proven link", "good"),
    State.ROTATING: (350, 550, "a proven link, and its successor", "good"),
    State.BACKOFF: (96, 260, "no link, waiting", "wait"),
}
"""The middle of each state, what it means, and its colour."""
HALF, TALL = 112, 27
ARROWS = {
    (State.IDLE, State.IDLE): Arrow("M408 93C413 45 508 50 462 104", 486, 70, "start"),
    (State.IDLE, State.KEYED): Arrow("M325 147V232", 317, 193, "end"),
    (State.IDLE, State.BACKOFF): Arrow("M238 111H60Q48 111 48 123V232", 146, 103),
    (State.KEYED, State.CONNECTED): Arrow("M350 287V372", 358, 334, "start"),
    (State.KEYED, State.BACKOFF): Arrow("M238 260H173", 207, 252, gap=24),
    (State.KEYED, State.IDLE): Arrow("M385 233V149", 393, 193, "start"),
    (State.BACKOFF, State.IDLE): Arrow("M126 233V145Q126 133 138 133H237", 182, 150),
    (State.CONNECTED, State.ROTATING): Arrow("M325 427V522", 317, 458, "end"),
    (State.CONNECTED, State.BACKOFF): Arrow("M238 400H108Q96 400 96 388V289", 168, 392),
    (State.ROTATING, State.ROTATING): Arrow("M408 577C413 625 508 620 463 566", 486, 594, "start"),
    (State.ROTATING, State.CONNECTED): Arrow("M375 523V429", 383, 458, "start"),
    (State.ROTATING, State.IDLE): Arrow("M462 556H688Q700 556 700 544V140Q700 128 688 128H463", 582, 120),
    (State.ROTATING, State.KEYED): Arrow("M462 542H637Q649 542 649 530V272Q649 260 637 260H463", 555, 252),
}
"""A state's own STOP, which leads to IDLE from everywhere, is a line of text."""

BANDS = {
    "adapters": (16, 360, "everything that touches the world"),
    "ports": (400, 102, "what the core and its surroundings ask of each other"),
    "core": (526, 264, "no I/O, no clock, no venue"),
}
"""The top and the height of each."""
ROOMS = {
    "adapters": {
        "cli": (250, 92, "the commands"),
        "testing": (460, 92, "for pytest"),
        "driver": (180, 172, "the loop"),
        "simulator": (390, 172, "an exchange"),
        "mock": (560, 172, "a scripted venue"),
        "executors": (95, 252, "tasks or threads"),
        "transports": (240, 252, "to the network"),
        "recording": (385, 252, "and replay"),
        "journal": (300, 332, "what was delivered"),
        "venues": (470, 332, "a folder for each"),
    },
    "core": {
        "connection": (340, 594, "the door"),
        "intake": (340, 674, "frames"),
        "link": (150, 754, "keeps a link alive"),
        "sync": (340, 754, "what is proven"),
        "account": (515, 674, "what was delivered"),
        "books": (515, 754, "money"),
    },
}
"""The middle of each room of a band, and what it is for."""
IMPORTS = {
    "adapters": (
        ("cli", "driver"),
        ("cli", "simulator"),
        ("testing", "simulator"),
        ("driver", "executors"),
        ("driver", "transports"),
        ("driver", "recording"),
        ("recording", "journal"),
        ("recording", "venues"),
    ),
    "core": (
        ("connection", "intake"),
        ("intake", "link"),
        ("intake", "sync"),
        ("sync", "account"),
        ("sync", "books"),
    ),
}
"""Who imports whom: what follows from two arrows has none of its own."""
PORTS = ("clock", "errors", "http", "journal", "keys", "observer", "questions", "reader", "service", "socket", "venue")
BROAD, LOW = 66, 23


def moves() -> dict[tuple[State, State], list[str]]:
    """The labels of each arrow, by the table; STOP is left out, since it leads to IDLE from every state."""
    stopped = {row.source for row in TABLE if row.trigger is Trigger.STOP and row.target is State.IDLE}
    assert stopped == {*State}
    labels: dict[tuple[State, State], list[str]] = {}
    for row in TABLE:
        if row.trigger is not Trigger.STOP:
            label = row.trigger if row.given is None else f"{row.trigger} ({row.given})"
            labels.setdefault((row.source, row.target), []).append(label)
    return labels


def states() -> str:
    """The lifecycle of a connection. Raises `KeyError` for a move that has no place in the picture."""
    labels = moves()
    if unused := ARROWS.keys() - labels.keys():
        raise KeyError(f"the table has no move {unused}")
    parts = ['<circle class="head" cx="350" cy="34" r="6"/>', '<path class="arrow" d="M350 40V91"/>']
    for ends, said in labels.items():
        way = ARROWS[ends]
        parts += [f'<path class="arrow" d="{way.path}"/>', *_lines(way, said)]
    for state, (x, y, meaning, colour) in STATES.items():
        half = HALF if state is not State.BACKOFF else 76
        parts += _box(x, y, half, TALL, f"box {colour}".strip(), state, meaning, "name")
    parts.append(_text(20, 628, "stop: from every state to IDLE", "soft start"))
    return _svg(720, 650, "The states of a connection, and what moves it from one to another", parts)


def _lines(way: Arrow, said: Iterable[str]) -> list[str]:
    return [_text(way.x, way.y + way.gap * number, line, way.anchor) for number, line in enumerate(said)]


def layers() -> str:
    """The three parts, and the rooms of two of them."""
    parts: list[str] = []
    for band, (top, height, meaning) in BANDS.items():
        parts.append(f'<rect class="band" x="16" y="{top}" width="628" height="{height}" rx="10"/>')
        parts.append(_text(30, top + 27, band, "name start"))
        parts.append(_text(112, top + 27, meaning, "soft start"))
    for number, port in enumerate(PORTS):
        x, y = 80 + number % 6 * 100, 444 + number // 6 * 28
        parts.append(f'<rect class="box" x="{x - 44}" y="{y - 2}" width="88" height="22" rx="6"/>')
        parts.append(_text(x, y + 13, port))
    for band, rooms in ROOMS.items():
        parts += [_import(rooms, *pair) for pair in IMPORTS[band]]
        for room, (x, y, meaning) in rooms.items():
            parts += _box(x, y, BROAD, LOW, "box good" if room == "connection" else "box", room, meaning, "room")
    parts.append('<path class="arrow wide" d="M600 376V396"/>')
    parts.append('<path class="arrow wide" d="M600 502V522"/>')
    parts.append('<path class="arrow wide" d="M644 196H674Q686 196 686 208V646Q686 658 674 658H650"/>')
    return _svg(704, 806, "adapters import ports and core, ports import core", parts)


def _import(rooms: Mapping[str, tuple[int, int, str]], source: str, target: str) -> str:
    (x, y, _), (to_x, to_y, _) = rooms[source], rooms[target]
    if to_y > y:
        begin, end = y + LOW, to_y - LOW - 1
        middle = (begin + end) // 2
        return f'<path class="arrow" d="M{x} {begin}C{x} {middle} {to_x} {middle} {to_x} {end}"/>'
    begin, end = x + BROAD, to_x - BROAD - 1
    middle = (begin + end) // 2
    return f'<path class="arrow" d="M{begin} {y}C{middle} {y} {middle} {to_y} {end} {to_y}"/>'


def _box(x: int, y: int, half: int, tall: int, kind: str, name: str, meaning: str, size: str) -> list[str]:
    return [
        f'<rect class="{kind}" x="{x - half}" y="{y - tall}" width="{2 * half}" height="{2 * tall}" rx="9"/>',
        _text(x, y - 3, name, size),
        _text(x, y + 14, meaning, "soft"),
    ]


def _text(x: int, y: int, said: str, kind: str = "") -> str:
    of = f' class="{kind}"' if kind else ""
    return f'<text{of} x="{x}" y="{y}">{escape(said)}</text>'


def _svg(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    ground = f'<rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="12"/>'
    body = "\n".join([f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", HEADS, ground, *parts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>\n{body}\n</svg>\n'


PICTURES = {"states.svg": states, "layers.svg": layers}


if __name__ == "__main__":
    for name, drawn in PICTURES.items():
        (FOLDER / name).write_text(drawn())
