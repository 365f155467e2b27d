"""The simulated world itself: a seed is one life, a violation is printed and shrunk, deliberate bugs are caught."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from listenkey.adapters.recording.replay import replay, steps
from listenkey.core.policy import Mode

from .__main__ import command, main
from .bugs import ROOT, copy_to, plant
from .faults import Fault, parse_all, written
from .judge import Judge
from .life import live
from .mistakes import BUGS
from .setup import Setup, setup_of
from .shrink import shrink
from .truth import Truth
from .violation import Violation


@pytest.mark.parametrize("mode", ["ws", "poll"])
def test_a_seed_is_one_life(mode: Mode) -> None:
    """One seed gives the same life twice in this process, and in another one with another hash seed."""
    kinds = ("crash", "power", "disk_full", "partition") if mode == "poll" else ("crash", "power", "expire", "rotate")
    setup = setup_of(7, kinds=kinds, hours=0.1, mode=mode)._replace(journal=True)
    first, again = live(setup), live(setup)
    assert first == again
    assert first.survived
    script = (
        "from tests.simulation.life import live; from tests.simulation.setup import setup_of\n"
        f"print(live(setup_of(7, kinds={kinds}, hours=0.1, mode={mode!r})._replace(journal=True)).digest)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == first.digest


@pytest.mark.parametrize("mode", ["ws", "poll"])
def test_a_recorded_life_replays_in_another_process(tmp_path: Path, mode: Mode) -> None:
    """All inputs and actions of a life with restarts replay alike; nothing depends on the order of a set."""
    path = tmp_path / "life.rec"
    kinds = ("crash", "partition", "expire_silently", "lose" if mode == "ws" else "lag")
    outcome = live(setup_of(3, hours=1.0, kinds=kinds, mode=mode), path)
    assert outcome.violation is None
    assert steps(path) > 500
    assert replay(path) is None
    script = f"from listenkey.adapters.recording.replay import replay; print(replay({str(path)!r}))"
    environment = {**os.environ, "PYTHONHASHSEED": "99"}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout == "None\n"


def test_no_key_is_in_a_recorded_life(tmp_path: Path) -> None:
    """A key of the simulated venue is 64 hexadecimal digits, and the recording has no such run."""
    import re

    path = tmp_path / "life.rec"
    live(setup_of(5, hours=0.15, kinds=("expire", "foreign", "garbage")), path)
    assert b"k0xxx" in path.read_bytes()
    assert re.search(rb"[0-9a-f]{64}", path.read_bytes()) is None


def test_faults_are_written_as_they_are_read() -> None:
    """The faults of the printed command line are those of the life."""
    setup = setup_of(11)
    assert parse_all(written(setup.faults)) == setup.faults
    assert parse_all("none") == ()
    with pytest.raises(ValueError, match="storm"):
        parse_all("storm@1+2:3")


@pytest.mark.parametrize("mode", ["ws", "poll"])
def test_the_smallest_list_of_faults_is_found(monkeypatch: pytest.MonkeyPatch, mode: Mode) -> None:
    """All faults but the guilty one are left out, and the printed command line fails in the same way."""
    new_process = Judge.new_process

    def fails(self: Judge) -> None:
        if self.delivered:
            raise Violation("no-fill-lost", "as a test")
        new_process(self)

    monkeypatch.setattr(Judge, "new_process", fails)
    guilty = Fault("crash", 400.0, 0.0, "storing", 7)
    others = tuple(Fault("resync", 100.0 + 50 * number, 0.0) for number in range(3))
    smallest = shrink(setup_of(2, hours=0.15, mode=mode)._replace(faults=(*others, guilty)))
    assert smallest.faults == (guilty,)
    line = command(setup_of(2, mode=mode)._replace(faults=smallest.faults))
    arguments = shlex.split(line)[3:]
    printed: list[str] = []
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", ["simulation", *arguments])
        monkeypatch.setattr("builtins.print", printed.append)
        assert main() == 1
    half = len(printed) // 2
    assert printed[:half] == printed[half:]
    assert printed[-1] == line


def test_a_violation_is_printed_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A violation ends the life and is in its outcome, with its time."""

    def never(self: Truth, *_: object) -> None:
        raise Violation("no-fill-twice", "as a test")

    monkeypatch.setattr(Truth, "filled", never)
    outcome = live(setup_of(2, hours=0.2))
    assert outcome.violation is not None
    assert outcome.violation.startswith("no-fill-twice: as a test (at ")


def test_the_deliberate_bugs_can_still_be_planted(tmp_path: Path) -> None:
    """The text of each change is exactly once in its file, and the changed file is still Python."""
    copy_to(tmp_path)
    for bug in BUGS.values():
        plant(bug, tmp_path)
        for change in bug.changes:
            path = tmp_path / "listenkey" / change.path
            compile(path.read_text(), str(path), "exec")
            shutil.copy(ROOT / change.path, path)


def test_two_deliberate_bugs_are_caught() -> None:
    """A bug of the core and one of a venue's reader are caught; `-m tests.simulation.bugs` tries all of them."""
    from .bugs import catch

    for name in ("covered-interval", "empty-account"):
        assert catch(name, 20).invariant in BUGS[name].caught_by


def test_a_setup_follows_from_its_seed() -> None:
    """The same seed gives the same setup, and another seed another one."""
    assert setup_of(1) == setup_of(1)
    assert setup_of(1) != setup_of(2)
    assert isinstance(setup_of(1), Setup)
    assert Decimal(setup_of(1).policy.rotate_after) == 900
