"""The comparisons as bars in an SVG without other files, with a background for light and dark themes.

It shows figures that are ratios or have a target, so that it fits a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from .measure import Figure, Row
from .report import amount

WIDTH, LABEL, BAR, ROW, HEAD = 960, 330, 380, 22, 34
UNITS = {"x": "times", "us": "µs"}
LEGEND = (("ours", "listenkey"), ("bar", "others"), ("missed", "a target is missed"))
_STYLE = """
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1f2933; }
.head { font-weight: 600; }
.soft { fill: #66727f; }
.bar { fill: #b6c2cd; }
.ours { fill: #2a7f62; }
.missed { fill: #c2571a; }
.spread { stroke: #1f2933; stroke-width: 1.5; }
.target { stroke: #b3261e; stroke-width: 2; stroke-dasharray: 3 2; }
.background { fill: #fcfdfe; stroke: #d5dde4; }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e8ec; }
  .soft { fill: #9aa5b1; }
  .bar { fill: #52606d; }
  .ours { fill: #3fae88; }
  .missed { fill: #e07b3c; }
  .spread { stroke: #e4e8ec; }
  .target { stroke: #ff6b5e; }
  .background { fill: #15191d; stroke: #35404a; }
}
"""


def svg(rows: Sequence[Row], about: dict[str, str]) -> str:
    """Return the picture: a group of bars for each subject and unit; targets are dashed lines, quartiles thin ones."""
    parts = _legend()
    top = 30
    figures = [row for row in rows if isinstance(row, Figure) and (" / " in row.name or row.target is not None)]
    for (subject, unit), group in groupby(figures, key=lambda row: (row.subject, row.unit)):
        top += HEAD
        title = escape(f"{subject}, {UNITS.get(unit, unit)}")
        parts.append(f'<text class="head" x="10" y="{top - 8}">{title}</text>')
        members = list(group)
        longest = max(max(row.high, row.median, _target(row) or 0.0) for row in members) or 1.0
        for row in members:
            parts += _bar(row, top, BAR / longest)
            top += ROW
    top += HEAD - ROW
    for name, value in about.items():
        top += ROW
        said = f"measured on {value}" if name == "date" else value
        parts.append(f'<text class="soft" x="10" y="{top - 8}">{escape(said)}</text>')
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    background = f'<rect class="background" x="0.5" y="0.5" width="{WIDTH - 1}" height="{top - 1}" rx="10"/>'
    body = "\n".join([background, *parts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{_STYLE}</style>\n{body}\n</svg>\n'


def _legend() -> list[str]:
    parts, left = [], 10
    for kind, said in LEGEND:
        parts.append(f'<rect class="key {kind}" x="{left}" y="16" width="14" height="14" rx="3"/>')
        parts.append(f'<text class="soft" x="{left + 20}" y="28">{said}</text>')
        left += 60 + 7 * len(said)
    for kind, said in (("target", "target"), ("spread", "quartiles")):
        parts.append(f'<line class="{kind}" x1="{left}" x2="{left + 16}" y1="23" y2="23"/>')
        parts.append(f'<text class="soft" x="{left + 22}" y="28">{said}</text>')
        left += 60 + 7 * len(said)
    return parts


def _bar(row: Figure, top: int, scale: float) -> list[str]:
    middle = top + ROW / 2
    kind = "missed" if row.verdict == "missed" else "ours" if _own(row) else "bar"
    low, high, end = (LABEL + max(0.0, value) * scale for value in (row.low, row.high, row.median))
    parts = [
        f'<text x="{LABEL - 8}" y="{middle + 4:.1f}" text-anchor="end">{escape(row.name)}</text>',
        f'<rect class="{kind}" x="{LABEL}" y="{top + 4}" width="{max(1.0, end - LABEL):.1f}" height="{ROW - 8}"/>',
        f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>',
    ]
    target = _target(row)
    if target is not None:
        at = LABEL + target * scale
        parts.append(f'<line class="target" x1="{at:.1f}" x2="{at:.1f}" y1="{top + 1}" y2="{top + ROW - 1}"/>')
    said = amount(row.median)
    if row.target is not None and target is not None:
        bound = "at most" if row.target.most is not None else "at least"
        said += f" ({bound} {target:g}: {row.verdict})"
    parts.append(f'<text x="{LABEL + BAR + 10}" y="{middle + 4:.1f}">{escape(said)}</text>')
    return parts


def _own(row: Figure) -> bool:
    """True if the row is about listenkey, not only about a peer."""
    compared = row.name.partition(" / ")[0]
    return row.target is not None or not any(
        word in compared for word in ("floor", "naive", "ccxt", "bare loop", "bare client")
    )


def _target(row: Figure) -> float | None:
    if row.target is None:
        return None
    return row.target.most if row.target.most is not None else row.target.least
