"""A journal of an earlier schema is upgraded to the schema of today, or stays as it was."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from listenkey.adapters.journal import JournalRefused, SqliteJournal, schema, show, summary, verify
from listenkey.core.events import Fill, FillRevised

from .test_journal_inspection import T, fill, order, revised

ONE = Path(__file__).parent / "files" / "schema-1.journal"
"""Written by version 0.1.0, which knew no revised fills: two orders, three fills, a change of health."""

DIES = """
import os, sys
from listenkey.adapters.journal import SqliteJournal, schema

steps = schema.UPGRADES[1]

def statements():
    yield from steps
    os._exit(9)

schema.UPGRADES = {1: statements()}
SqliteJournal(sys.argv[1])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(ONE, tmp_path / "account.journal"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def test_what_only_reads_leaves_the_file_as_it_is(path: Path) -> None:
    """`verify`, `summary` and `show` read a journal of an earlier schema, and do not change its file."""
    before = path.read_bytes()
    assert verify(path) == []
    assert (summary(path).last, len(list(show(path)))) == (6, 6)
    assert path.read_bytes() == before == ONE.read_bytes()


def test_a_stream_takes_it_over(path: Path) -> None:
    """An upgraded journal keeps its events and marks, and can store a revision."""
    journal = SqliteJournal(path)
    assert all(entry.event.redelivered for entry in journal.unmarked())
    assert [entry.serial for entry in journal.unmarked()] == [5, 6]
    resumed = journal.resume()
    assert resumed is not None
    assert (resumed.began, resumed.proven_until) == (T, T)
    assert [event for event in resumed.events if isinstance(event, Fill)] == [
        fill("1", "0.4", "0.2"),
        fill("1", "0.2", "0.2"),
        fill("2", "1", "1"),
    ]
    assert resumed.events[0] == order("1")
    journal.append([revised(fill("1", "0.4", "0.2"))], None)
    journal.close()
    assert version(path) == schema.VERSION == 3
    assert verify(path) == []


def test_a_revision_is_kept_as_long_as_its_order(path: Path) -> None:
    """A revision is resumed with all events of its open order, even hours later."""
    journal = SqliteJournal(path)
    journal.append([revised(fill("1", "0.4", "0.2"))], T + 1)
    journal.mark(7)
    for hours in range(1, 6):
        journal.append([], T + hours * 3_600_000)
    resumed = journal.resume()
    journal.close()
    assert resumed is not None
    assert [event.replaces for event in resumed.events if isinstance(event, FillRevised)] == ["fill:BTC-USDT:1:0.4"]


def test_dying_in_the_middle_leaves_it_as_it_was(path: Path) -> None:
    """A process that dies during an upgrade leaves the old schema, because all steps are one transaction."""
    died = subprocess.run([sys.executable, "-c", DIES, str(path)], check=False)
    assert died.returncode == 9
    assert version(path) == 1
    assert verify(path) == []
    SqliteJournal(path).close()
    assert version(path) == 3


def test_a_step_that_fails_is_refused_in_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a step of the upgrade fails, the journal is refused in one line and keeps the old schema."""
    monkeypatch.setattr(schema, "UPGRADES", {1: (*schema.UPGRADES[1], "DROP TABLE no_such_table")})
    with pytest.raises(JournalRefused, match="cannot be opened: no such table"):
        SqliteJournal(path)
    assert version(path) == 1
