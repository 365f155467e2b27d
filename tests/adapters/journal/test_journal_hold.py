"""A journal in use is refused under any name, and a journal whose file is gone is not written to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from listenkey.adapters.journal import JournalRefused, SqliteJournal, hold, summary, verify
from listenkey.ports.errors import StreamStopped

from .test_journal_inspection import T, fill, order

OPENS = """
import sys
from listenkey.adapters.journal import JournalRefused, SqliteJournal

for name in sys.argv[1:]:
    try:
        SqliteJournal(name).close()
    except JournalRefused as error:
        print(error)
    else:
        print("opened")
"""
DIES_WITH_A_CHILD = """
import os, sys
from listenkey.adapters.journal import SqliteJournal

journal = SqliteJournal(sys.argv[1])
if os.fork():
    os._exit(9)
print("alone", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.journal"


def beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def test_in_use_under_any_name(path: Path) -> None:
    """A journal in use is refused without its lock file, by a hard link, and after a move, in any process."""
    with closing(SqliteJournal(path)):
        link, moved = path.with_name("link"), path.with_name("moved")
        link.hardlink_to(path)
        beside(path, "-lock").unlink()
        for name in (path, link):
            with pytest.raises(JournalRefused, match="in use by another stream"):
                SqliteJournal(name)
        path.rename(moved)
        with pytest.raises(JournalRefused, match="in use by another stream"):
            SqliteJournal(moved)
        command = [sys.executable, "-c", OPENS, str(link), str(moved), str(path)]
        others = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert ["in use by another stream" in line for line in others] == [True, True, False]
    assert "opened" not in others, "a new file at the old name would meet the write-ahead log of the first"


def test_a_child_keeps_nothing(path: Path) -> None:
    """The journal of a dead process may be opened even if a child of that process still runs."""
    command = [sys.executable, "-c", DIES_WITH_A_CHILD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.wait() == 9
        assert parent.stdout.readline() == "alone\n"
        SqliteJournal(path).close()
        parent.stdin.close()


def removed(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("moved"))


def replaced(path: Path) -> None:
    path.unlink()
    path.touch()


def without_log(path: Path) -> None:
    beside(path, "-wal").unlink()


def without_index(path: Path) -> None:
    beside(path, "-shm").unlink()


GOES = [removed, moved, replaced, without_log, without_index]


@pytest.mark.parametrize("go", GOES)
def test_what_has_gone_is_not_written_on(path: Path, go: Callable[[Path], None]) -> None:
    """If a file of the journal is gone, an `append` with a new `proven_until` stores nothing and stops the stream."""
    with closing(SqliteJournal(path)) as journal:
        journal.append([order("1")], T)
        go(path)
        with pytest.raises(StreamStopped, match=r"moved or removed|replaced"):
            journal.append([fill("1", "1", "1")], T + 1)
        assert [entry.serial for entry in journal.unmarked()] == [1]


@pytest.mark.parametrize("go", GOES)
def test_it_is_looked_for_every_second(path: Path, go: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file is looked for once a second, by `mark` and by an `append` without a `proven_until`."""
    now = 100.0
    monkeypatch.setattr(hold, "monotonic", lambda: now)
    with closing(SqliteJournal(path)) as journal:
        journal.append([order("1"), order("2")], None)
        go(path)
        now += 0.99
        journal.append([order("3")], None)
        journal.mark(1)
        now += 0.01
        with pytest.raises(StreamStopped):
            journal.mark(2)
        now += 1
        with pytest.raises(StreamStopped):
            journal.append([order("4")], None)


def test_where_it_was_moved_to_it_is_whole(path: Path) -> None:
    """Closing a moved journal writes all entries to it, although its write-ahead log has the old name."""
    journal = SqliteJournal(path)
    journal.append([order("1"), fill("1", "1", "1")], T)
    moved(path)
    journal.close()
    assert verify(path.with_name("moved")) == []
    assert summary(path.with_name("moved")).last == 2
    assert not path.exists()


def test_a_journal_that_is_dropped_is_let_go(path: Path) -> None:
    """The locks of a journal end with its object, even if it was not closed."""
    journal = SqliteJournal(path)
    journal._connection.close()
    del journal
    SqliteJournal(path).close()


def test_what_cannot_be_locked_is_refused_in_one_line(path: Path) -> None:
    """A path that is a folder is refused, and nothing stays locked or is created in it."""
    path.mkdir()
    with pytest.raises(JournalRefused, match="cannot be opened"):
        SqliteJournal(path)
    assert hold._held == {}
    assert len(os.listdir(path)) == 0
