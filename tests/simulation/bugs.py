"""Deliberate bugs: each is put into a scratch copy of the package, and a named invariant must catch it.

`python -m tests.simulation.bugs` prints a table and exits 1 if a bug gets through or something else catches it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from .mistakes import BUGS, Bug

ROOT = Path(__file__).resolve().parents[2]
LIVES = 100


class Catch(NamedTuple):
    """One bug: the invariant that caught it, if one did, and the seed and seconds that this took."""

    name: str
    invariant: str | None
    seed: int | None
    seconds: float
    detail: str


def copy_to(scratch: Path) -> None:
    """Copy the package and the simulation into a folder, laid out as installed: the three rooms inside the package."""
    package = scratch / "listenkey"
    package.mkdir()
    for path in (ROOT / "listenkey").iterdir():
        if path.is_file():
            shutil.copy(path, package)
    for name in ("core", "ports", "adapters"):
        shutil.copytree(ROOT / name, package / name, ignore=shutil.ignore_patterns("__pycache__"))
    (scratch / "tests").mkdir()
    shutil.copytree(
        ROOT / "tests" / "simulation",
        scratch / "tests" / "simulation",
        ignore=shutil.ignore_patterns("__pycache__", "test_*"),
    )


def plant(bug: Bug, scratch: Path) -> None:
    """Make the changes of a bug. Raises `ValueError` for a text that is not exactly once in its file."""
    for change in bug.changes:
        path = scratch / "listenkey" / change.path
        source = path.read_text()
        if source.count(change.old) != 1:
            raise ValueError(f"{change.path} has {source.count(change.old)} times, not once: {change.old!r}")
        path.write_text(source.replace(change.old, change.new))


def catch(name: str, lives: int = LIVES) -> Catch:
    """Plant a bug in a copy, and run lives until one breaks an invariant or `lives` have passed."""
    bug = BUGS[name]
    began = time.monotonic()
    with TemporaryDirectory(prefix="bug-") as folder:
        scratch = Path(folder)
        copy_to(scratch)
        plant(bug, scratch)
        hunt = [sys.executable, "-W", "ignore", "-m", "tests.simulation.hunt"]
        hunt += [bug.venue, bug.kinds, str(lives), bug.mode]
        hunt.append(json.dumps(dict(bug.given)))
        environment = {**os.environ, "PYTHONPATH": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(hunt, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    found = re.match(r"seed (\d+): ([a-z-]+): (.*)", ended.stdout)
    if found is None:
        return Catch(name, None, None, took, (ended.stdout + ended.stderr).strip()[-300:])
    return Catch(name, found[2], int(found[1]), took, found[3])


def main() -> int:
    """Try every bug, or those named in the arguments; return 1 if any was not caught as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.bugs", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BUGS))
    parser.add_argument("--lives", type=int, default=LIVES, help="for each bug, at most")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    missed = 0
    print(f"{'bug':58}  {'caught by':20}  {'seed':>5}  {'seconds':>7}")
    with ThreadPoolExecutor(options.workers) as pool:
        for found in pool.map(lambda name: catch(name, options.lives), options.names or BUGS):
            bug = BUGS[found.name]
            right = found.invariant in bug.caught_by
            missed += not right
            named = found.invariant or "NOTHING"
            print(f"{bug.what:58}  {named:20}  {found.seed!s:>5}  {found.seconds:7.1f}", flush=True)
            if not right:
                print(f"    expected {' or '.join(bug.caught_by)}: {found.detail}")
    print(f"{len(options.names or BUGS) - missed} of {len(options.names or BUGS)} caught by a named invariant")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
