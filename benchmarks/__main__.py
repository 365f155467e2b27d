"""`python -m benchmarks`: measure everything, print the table, write it as JSON and as a picture.

With `--against DIR` the costs of this checkout and of the one in DIR are measured in turns, and compared.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import addresses, decode, exchange, journal, month, orders, probe, recovery, scale, start, travel, wire
from .comparison import Compared, Comparison
from .measure import ROOT, Row
from .picture import svg
from .report import as_json, compared_json, compared_table, machine, table
from .sides import Broken, Checkout
from .wires import BINGX, WIRES

SUBJECTS: dict[str, tuple[Callable[[bool], list[Row]], ...]] = {
    "recovery": (recovery.run,),
    "decode": (decode.run,),
    "wire": (wire.run, addresses.run),
    "scale": (scale.run,),
    "growth": (orders.run, month.run),
    "start": (start.run,),
    "journal": (journal.run,),
    "travel": (travel.run,),
    "exchange": (exchange.run,),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 even on a slow machine, 1 if a ratio is above its bound, 2 if nothing can be compared."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=_subjects(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw them there")
    parser.add_argument("--only", action="append", choices=SUBJECTS, metavar="NAME", help=", ".join(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that all of it works; no figures")
    parser.add_argument("--against", type=Path, metavar="DIR", help="compare with the checkout there")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="of a comparison (15)")
    parser.add_argument("--bound", type=float, default=1.05, metavar="X", help="the most that a ratio may be (1.05)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.against is None:
        return _measured(options)
    if options.svg is not None:
        parser.error("--svg: a comparison is not drawn")
    try:
        return _compared(options)
    except Broken as broken:
        parser.exit(2, f"{broken}\n")


def _subjects() -> str:
    """Return the lines of help about each name's measurements, and the wires."""
    lines = ["what is measured, by NAME:"]
    for name, measures in SUBJECTS.items():
        for measure in measures:
            lines.append(f"  {name:<10}{str(sys.modules[measure.__module__].__doc__).splitlines()[0]}")
    wires = ", ".join(wire.venue for wire in WIRES)
    lines += ["", f"decode and recovery: {wires}, each against a floor of its own. All else: {BINGX.venue}."]
    return "\n".join(lines)


def _measured(options: argparse.Namespace) -> int:
    rows: list[Row] = []
    for name in options.only or SUBJECTS:
        began = time.monotonic()
        for measure in SUBJECTS[name]:
            rows += measure(options.quick)
        _progress(name, began)
    about = machine()
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print(table(rows))
    if options.json is not None:
        options.json.write_bytes(as_json(rows, about))
    if options.svg is not None:
        options.svg.write_text(svg(rows, about))
    return 0


def _compared(options: argparse.Namespace) -> int:
    this, base = Checkout("this", ROOT), Checkout("base", options.against)
    passes = {name: 1 if options.quick else probe.SUBJECTS[name].passes for name in options.only or SUBJECTS}
    comparison = Comparison(this, base, passes, quick=options.quick)
    for number in range(options.rounds):
        began = time.monotonic()
        comparison.round()
        _progress(f"round {number + 1} of {options.rounds}", began)
    about, rows = machine(), comparison.rows(options.bound)
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print(compared_table(rows))
    if options.json is not None:
        options.json.write_bytes(compared_json(rows, about))
    return int(any(isinstance(row, Compared) and row.verdict == "beyond" for row in rows))


def _progress(name: str, began: float) -> None:
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
