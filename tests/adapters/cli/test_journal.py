"""`watch` with a journal that is not its account's, or not there any more; `journal forget`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from listenkey.__main__ import main
from listenkey.adapters.journal import SqliteJournal, summary, verify

from ..journal.test_journal_inspection import T, fill, order
from .commands import API_KEY, Ended, Exchange, Start

OWN = "own.journal"


def owned(path: Path, api_key: str, user: str | None) -> Path:
    """A journal of somebody who trades where the simulated exchange is, with a fill that nobody has dealt with."""
    with closing(SqliteJournal(path)) as journal:
        journal.claim("bingx-swap", "127.0.0.1", api_key)
        journal.recognise(user)
        journal.begin(T)
        journal.append([order("1"), fill("1", "0.4", "0.4"), order("2")], T)
        journal.mark(1)
    return path


def test_whose_journal(exchange: Exchange, start: Start, tmp_path: Path) -> None:
    """Refused at the start: one line, nothing told, exit code 2. Stopped while it runs: one line, exit code 4."""

    def watch(name: str, *flags: str) -> Sequence[str]:
        return ("watch", *exchange.flags, "--json", "--journal", str(tmp_path / name), *flags)

    owned(tmp_path / "other", "another API key", "7")
    owned(tmp_path / "changed", API_KEY, "7")
    owned(tmp_path / "unknown", "another API key", None)
    other, changed = start(*watch("other")), start(*watch("changed"))
    adopted = start(*watch("unknown", "--adopt-journal", "--max-events", "3"))
    gone = start(*watch("gone"))
    gone.line()
    (tmp_path / "gone").unlink()

    refused, stopped, lost, adopts = other.end(), changed.end(), gone.end(), adopted.end()
    assert (refused.code, refused.out) == (2, "")
    assert (
        one_line(refused) == f"listenkey: watch: --journal {tmp_path}/other: the journal is of another account than "
        "the API key: each account needs a file of its own"
    )
    assert (stopped.code, lost.code) == (4, 4)
    assert one_line(stopped).endswith("is of another account than the venue now names")
    assert one_line(lost).endswith("/gone was moved or removed: No such file or directory")
    assert adopts.code == 0
    assert "the journal was adopted" in one_line(adopts)
    assert [event["redelivered"] for event in adopts.events] == [True, True, False]


def one_line(ended: Ended) -> str:
    assert ended.err.count("\n") == 1, ended.err
    return ended.err.rstrip("\n")


def test_forget(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An order by its id, then everything; each is said in one line, and one that is not there as well."""
    path = owned(tmp_path / OWN, API_KEY, "7")
    assert main(["journal", "forget", str(path), "--order", "1"]) == 0
    assert main(["journal", "forget", str(path), "--order", "BTC-USDT:1"]) == 2
    assert main(["journal", "forget", str(path), "--all"]) == 0
    said = capfd.readouterr()
    assert said.out.splitlines() == [
        f"{path}: forgot order BTC-USDT:1, 2 events, 1 of them not dealt with",
        f"{path}: forgot everything, 1 events, 1 of them not dealt with",
    ]
    assert said.err.splitlines() == [f"listenkey: journal forget: {path}: the journal has no order BTC-USDT:1"]
    assert summary(path).entries == 0
    assert verify(path) == []
