"""`listenkey replay FILE`: 0 without a difference, 1 with the first one, 2 for what is no recording."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from listenkey.adapters.recording.recorder import Recorder
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import inputs
from listenkey.core.policy import Policy

from .session import Session


def replayed(path: Path) -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "-m", "listenkey", "replay", str(path)], capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout, run.stderr


def test_no_difference(tmp_path: Path) -> None:
    """The steps are counted."""
    session = Session(tmp_path / "run.rec")
    session.trades()
    session.recorder.close()
    code, out, err = replayed(tmp_path / "run.rec")
    assert (code, err) == (0, "")
    assert out.endswith(" steps, no difference\n")


def test_a_difference(tmp_path: Path) -> None:
    """It is printed: what came in, what was recorded, what came out now."""
    recorder = Recorder(tmp_path / "run.rec")
    recorder.begin(SwapDialect(), Policy(), 0, "ws")
    recorder(1.0, inputs.Start(), [])
    recorder.close()
    code, out, _ = replayed(tmp_path / "run.rec")
    assert code == 1
    assert "record 2, at 1.000000 s: Start" in out
    assert "recorded: nothing more" in out
    assert "replayed: ['CreateKey'" in out


def test_no_recording(tmp_path: Path) -> None:
    """One line on standard error."""
    (tmp_path / "run.rec").write_text("something else")
    code, out, err = replayed(tmp_path / "run.rec")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "not a recording" in err
