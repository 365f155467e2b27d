"""Fifteen deliberate bugs: each is put into a scratch copy of the package, and a named invariant must catch it.

`python -m tests.simulation.bugs` prints a table and exits 1 if a bug gets through or something else catches it.
"""

from __future__ import annotations

import argparse
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

from .violation import INVARIANTS

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0


class Change(NamedTuple):
    """A text that stands once in a file, and what takes its place."""

    path: str
    old: str
    new: str


class Bug(NamedTuple):
    """A mistake, the kinds of fault that bring it to light, and the invariants that may name it."""

    what: str
    changes: tuple[Change, ...]
    kinds: str
    caught_by: tuple[str, ...]


BUGS: dict[str, Bug] = {
    "covered-ground": Bug(
        "covered ground ignored",
        (
            Change(
                "core/order.py",
                "        low = max(start, self.reach)\n",
                "        return [(start, end)]\n        low = max(start, self.reach)\n",
            ),
        ),
        "rotate,drop,repeat",
        ("no-fill-twice",),
    ),
    "early-snapshot": Bug(
        "snapshot read before the socket is proven",
        (
            Change(
                "core/effects.py",
                "        self._links.open(cause.key)\n",
                "        self._links.open(cause.key)\n        self._witness.connected()\n",
            ),
            Change(
                "core/effects.py",
                "        self._arm_rotation()\n        self._witness.connected()\n\n    def open_gap(",
                "        self._arm_rotation()\n\n    def open_gap(",
            ),
        ),
        "drop,close,accept_hang",
        ("gap-closed-by-read", "no-fill-lost", "watermark-honest"),
    ),
    "no-hold": Bug(
        "held frames released before the read",
        (
            Change(
                "core/continuity.py",
                "        self._anteroom.hold()\n        self.proof.reads.link_proven()\n",
                "        self.proof.reads.link_proven()\n",
            ),
        ),
        "drop,close,partition",
        ("read-before-frames",),
    ),
    "live-key": Bug(
        "live key deleted after rotation",
        (
            Change(
                "core/effects.py",
                "    def hand_over(self, _cause: Cause) -> None:\n        self._drop_leader()\n",
                "    def hand_over(self, _cause: Cause) -> None:\n        self._drop_leader()\n"
                "        self._turn.emit(DeleteKey(self._leader.key.value))\n",
            ),
            Change("core/effects.py", "from .actions import Finish\n", "from .actions import DeleteKey, Finish\n"),
        ),
        "rotate",
        ("live-key-kept",),
    ),
    "break-before-make": Bug(
        "old link closed before the successor is proven",
        (
            Change(
                "core/effects.py",
                "        self._links.open_successor(cause.key)\n",
                "        self._links.open_successor(cause.key)\n        self._leader.close()\n",
            ),
        ),
        "rotate",
        ("calm-stays-live",),
    ),
    "backoff-reset": Bug(
        "backoff reset on connect",
        (
            Change(
                "core/effects.py",
                '        self._turn.arm(("healthy", 0), self._turn.policy.healthy_after)\n',
                "        self._backoff.reset()\n",
            ),
        ),
        "accept_close",
        ("attempts-bounded",),
    ),
    "no-delay": Bug(
        "no jitter and no delay after a clean close",
        (
            Change(
                "core/effects.py",
                '        self._turn.arm(("delay", 0), max(self._backoff.delay(), self._floor))\n',
                '        self._turn.arm(("delay", 0), 0.001 if _cause.refusal is None else self._backoff.delay())\n',
            ),
        ),
        "accept_close",
        ("attempts-bounded",),
    ),
    "no-silence": Bug(
        "silence timer never armed",
        (
            Change(
                "core/link.py",
                '        self._turn.timers.arm(("quiet", self.socket), self._quiet_at)\n',
                "        return\n",
            ),
        ),
        "half_open",
        ("silence-noticed",),
    ),
    "foreign-expiry": Bug(
        "expiry of a foreign key obeyed",
        (
            Change(
                "core/upkeep.py",
                "        key = leader if value is None else self._keyring.get(value)\n",
                "        key = leader\n",
            ),
        ),
        "foreign",
        ("key-gone-is-true",),
    ),
    "renewal-gone": Bug(
        "renewal failure treated as key gone",
        (
            Change(
                "core/keyring.py",
                "            if key.request == request and refusal.kind is RefusalKind.GONE:\n",
                "            if key.request == request:\n",
            ),
        ),
        "renew_busy",
        ("key-gone-is-true",),
    ),
    "frame-watermark": Bug(
        "watermark moved by frames",
        (
            Change(
                "core/continuity.py",
                "        if self._ground.take(report, frame) and self._ground.complete:\n",
                "        unfounded = self._ground.take(report, frame)\n"
                "        if report.exchange_ts and self._ground.proven_until and not self._anteroom.holding:\n"
                "            if report.exchange_ts > self._ground.proven_until:\n"
                "                self._ground.prove(report.exchange_ts)\n"
                "                self._turn.emit(MarkProven(report.exchange_ts))\n"
                "        if unfounded and self._ground.complete:\n",
            ),
            Change(
                "core/continuity.py",
                "from . import narration\n",
                "from . import narration\nfrom .actions import MarkProven\n",
            ),
        ),
        "lose,drop",
        ("watermark-honest", "no-fill-lost"),
    ),
    "empty-account": Bug(
        "failed read delivered as empty account",
        (
            Change(
                "core/proof.py",
                "        never_passed = self._ground.proven_until is None\n",
                "        never_passed = self._ground.proven_until is None\n"
                "        ms = self._turn.exchange_time() or 0\n"
                "        since = asked.since\n"
                "        empty = Account(as_of=ms, exchange_ms=ms, since=since, whole=True, settled=True)\n"
                "        self._standing.read(empty)\n",
            ),
        ),
        "reads_down,rest_down",
        ("only-the-truth",),
    ),
    "marked-early": Bug(
        "event marked before the consumer returns",
        (
            Change(
                "adapters/backlog.py",
                "            self._taken = self._serials.popleft()\n",
                "            self._taken = self._serials.popleft()\n"
                "            if self._journal is not None:\n"
                "                self._journal.mark(self._taken)\n",
            ),
        ),
        "crash",
        ("no-fill-lost",),
    ),
    "late-key": Bug(
        "late key not deleted",
        (
            Change(
                "core/keyring.py",
                "            if value not in self._keys:\n                self._turn.emit(DeleteKey(value))\n",
                "",
            ),
        ),
        "slow_mint",
        ("no-key-left",),
    ),
    "early-cancel": Bug(
        "cancel overtaking a held fill",
        (
            Change(
                "core/order.py",
                "        return (report.cumulative_qty if claim is None else claim[0]) > self.top\n",
                '        return report.status != "CANCELED" and '
                "(report.cumulative_qty if claim is None else claim[0]) > self.top\n",
            ),
        ),
        "lose,swap",
        ("order-kept",),
    ),
}


class Catch(NamedTuple):
    """What became of one bug."""

    name: str
    invariant: str | None
    seed: int | None
    seconds: float
    detail: str


def copy_to(scratch: Path) -> None:
    """The package and the simulation, as they are installed: the three folders inside."""
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
    """Make the changes. Raises `ValueError` for a text that does not stand exactly once in its file."""
    for change in bug.changes:
        path = scratch / "listenkey" / change.path
        source = path.read_text()
        if source.count(change.old) != 1:
            raise ValueError(f"{change.path} has {source.count(change.old)} times, not once: {change.old!r}")
        path.write_text(source.replace(change.old, change.new))


def catch(name: str, seconds: float = SECONDS) -> Catch:
    """Plant a bug and live lives until an invariant names it, or time is up."""
    bug = BUGS[name]
    began = time.monotonic()
    with TemporaryDirectory(prefix="bug-") as folder:
        scratch = Path(folder)
        copy_to(scratch)
        plant(bug, scratch)
        hunt = [sys.executable, "-W", "ignore", "-m", "tests.simulation.hunt", bug.kinds, str(seconds)]
        environment = {**os.environ, "PYTHONPATH": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
        told = subprocess.run(hunt, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    found = re.match(r"seed (\d+): ([a-z-]+): (.*)", told.stdout)
    if found is None:
        return Catch(name, None, None, took, (told.stdout + told.stderr).strip()[-300:])
    return Catch(name, found[2], int(found[1]), took, found[3])


def main() -> int:
    """Every bug, or those named."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.bugs", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BUGS))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each bug")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    missed = 0
    print(f"{'bug':50}  {'caught by':20}  {'seed':>5}  {'seconds':>7}")
    with ThreadPoolExecutor(options.workers) as pool:
        for found in pool.map(lambda name: catch(name, options.seconds), options.names or BUGS):
            bug = BUGS[found.name]
            right = found.invariant in bug.caught_by
            missed += not right
            named = found.invariant or "NOTHING"
            print(f"{bug.what:50}  {named:20}  {found.seed!s:>5}  {found.seconds:7.1f}", flush=True)
            if not right:
                print(f"    expected {' or '.join(bug.caught_by)}: {found.detail}")
    print(f"{len(options.names or BUGS) - missed} of {len(options.names or BUGS)} caught by a named invariant")
    return 1 if missed else 0


assert all(name in INVARIANTS for bug in BUGS.values() for name in bug.caught_by)

if __name__ == "__main__":
    sys.exit(main())
