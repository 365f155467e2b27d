"""`listenkey replay FILE` ends with 0 if nothing differs, 1 at a difference, and 2 if it is no recording."""

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
    """A replay without a difference prints the number of steps."""
    session = Session(tmp_path / "run.rec")
    session.trades()
    session.recorder.close()
    code, out, err = replayed(tmp_path / "run.rec")
    assert (code, err) == (0, "")
    assert out.endswith(" steps, no difference\n")


def test_a_difference(tmp_path: Path) -> None:
    """A difference is printed with its input, the recorded actions and the replayed ones."""
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
    """A file that is no recording gives one line on standard error."""
    (tmp_path / "run.rec").write_text("something else")
    code, out, err = replayed(tmp_path / "run.rec")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "not a recording" in err
