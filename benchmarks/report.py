"""The measured figures as a table and as JSON."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import msgspec

from .comparison import Alone, Compared
from .measure import Absent, Figure, Row


def machine() -> dict[str, str]:
    """Return the kind of the machine, not its name, and the measured versions."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, {_processor()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": ", ".join(_versions("listenkey", "msgspec", "anyio", "aiohttp", "websockets", "ccxt")),
    }


def table(rows: Sequence[Row]) -> str:
    """Return the table of the rows, with the notes below."""
    lines = [("", "median", "quartiles", "n", "target", "")]
    notes: list[str] = []
    subject = ""
    for row in rows:
        if row.subject != subject:
            subject = row.subject
            lines.append((subject, "", "", "", "", ""))
        if isinstance(row, Absent):
            lines.append((f"  {row.name}", "-", "-", "", "", row.why))
            continue
        mark = ""
        if row.note:
            if row.note not in notes:
                notes.append(row.note)
            mark = f" [{notes.index(row.note) + 1}]"
        lines.append(
            (
                f"  {row.name}{mark}",
                f"{amount(row.median)} {row.unit}",
                f"{amount(row.low)} .. {amount(row.high)}",
                str(row.rounds),
                "" if row.target is None else str(row.target),
                row.verdict,
            )
        )
    return "\n".join([*_aligned(lines), "", *(f"[{number}] {note}" for number, note in enumerate(notes, 1))])


def compared_table(rows: Sequence[Compared | Alone]) -> str:
    """Return the table of the ratios, next to those of the base with itself."""
    lines: list[tuple[str, ...]] = [("", "this", "base", "ratio", "base / itself", "bound", "rounds x passes", "")]
    subject = ""
    for row in rows:
        if row.subject != subject:
            subject = row.subject
            lines.append((subject, *[""] * 7))
        if isinstance(row, Alone):
            where = "on neither side" if row.side == "neither" else f"in {row.side} alone"
            lines.append((f"  {row.name}", *"-" * 5, "", f"{where}: {row.why}" if row.why else where))
            continue
        lines.append(
            (
                f"  {row.name}",
                f"{amount(row.this)} {row.unit}",
                f"{amount(row.base)} {row.unit}",
                f"{row.ratio:.3f}",
                f"{row.low:.3f} .. {row.high:.3f}",
                f"{row.bound:.3f}",
                f"{row.rounds} x {row.passes}",
                row.verdict,
            )
        )
    return "\n".join(_aligned(lines))


def as_json(rows: Sequence[Row], about: dict[str, str]) -> bytes:
    """Return all rows and the machine as JSON."""
    plain: list[Any] = []
    for row in rows:
        entry = msgspec.to_builtins(row)
        if isinstance(row, Figure):
            entry["verdict"] = row.verdict
            entry["target"] = None if row.target is None else str(row.target)
        plain.append(entry)
    return msgspec.json.format(msgspec.json.encode({"about": about, "rows": plain}), indent=2) + b"\n"


def compared_json(rows: Sequence[Compared | Alone], about: dict[str, str]) -> bytes:
    """Return a comparison as JSON; `ratio` is this by base, `low` and `high` are base by itself."""
    plain: list[Any] = []
    for row in rows:
        entry = msgspec.to_builtins(row)
        if isinstance(row, Compared):
            entry |= {"bound": row.bound, "verdict": row.verdict}
        plain.append(entry)
    return msgspec.json.format(msgspec.json.encode({"about": about, "rows": plain}), indent=2) + b"\n"


def amount(value: float) -> str:
    """Return the number with three significant digits, or all digits of a large one."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [_line(line, widths) for line in lines]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *rest, verdict = cells
    middle = "  ".join(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=False))
    return f"{name.ljust(widths[0])}  {middle}  {verdict}".rstrip()


def _versions(*names: str) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"no {name}")
    return found


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "processor unknown"
