"""Runs of the connection in transcripts that anybody can read: the commands, and everything that follows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .transcript import retold

PATHS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
REWRITE = "LISTENKEY_REWRITE"
"""If set, the transcripts are written anew and not compared; `git diff` then shows the changes."""


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_a_transcript(path: Path) -> None:
    """The connection does what the transcript says, at the times it says, to the millisecond."""
    now = retold(path)
    if REWRITE in os.environ:
        path.write_text(now)
    assert path.read_text() == now


def test_they_are_numbered_and_begin_with_a_remark() -> None:
    """Their names begin with numbers in the order of reading, and each begins with a remark."""
    assert [path.stem[:2] for path in PATHS] == [f"{number:02}" for number in range(1, len(PATHS) + 1)]
    assert all(path.read_text().startswith("# ") for path in PATHS)
