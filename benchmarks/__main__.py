"""`python -m benchmarks`: measure everything, print the table, write it as JSON and as a picture."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import decode, journal, month, orders, scale, start, travel, wire
from .measure import Row
from .picture import svg
from .report import as_json, machine, table

SUBJECTS: dict[str, tuple[Callable[[bool], list[Row]], ...]] = {
    "decode": (decode.run,),
    "wire": (wire.run,),
    "scale": (scale.run,),
    "growth": (orders.run, month.run),
    "start": (start.run,),
    "journal": (journal.run,),
    "travel": (travel.run,),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, whatever the verdicts: a slow machine is no mistake."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw them there")
    parser.add_argument("--only", action="append", choices=SUBJECTS, metavar="NAME", help=", ".join(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that all of it works; no figures")
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    for name in options.only or SUBJECTS:
        began = time.monotonic()
        for measure in SUBJECTS[name]:
            rows += measure(options.quick)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    about = machine()
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print(table(rows))
    if options.json is not None:
        options.json.write_bytes(as_json(rows, about))
    if options.svg is not None:
        options.svg.write_text(svg(rows, about))
    return 0


if __name__ == "__main__":
    sys.exit(main())
