"""After `kill -9` at any moment exactly the events that were stored and not marked are delivered again."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from listenkey.adapters.journal import SqliteJournal, show, summary, verify

STREAM = """
import os, random, sys
from listenkey.adapters.journal import SqliteJournal
from listenkey.core.events import FundingFee

path, seed = sys.argv[1], int(sys.argv[2])
rng = random.Random(seed)
journal = SqliteJournal(path)

def say(word, number):
    os.write(1, f"{word} {number}\\n".encode())

def deal_with(entries):
    for entry in entries:
        say("delivered", entry.serial)
        journal.mark(entry.serial)
        say("marked", entry.serial)

deal_with(journal.unmarked())
now = 1_700_000_000_000
while True:
    now += 30_000
    batch = [
        FundingFee(event_id=f"funding:{seed}:{now + n}", exchange_ts=now + n, source="poll", amount=None, asset=None,
                   symbol=None, provisional=False)
        for n in range(rng.randint(1, 5))
    ]
    proven = now if rng.random() < 0.5 else None
    entries = journal.append(batch, proven)
    say("stored", entries[-1].serial)
    if proven:
        say("proven", proven)
    deal_with(entries)
"""


@pytest.mark.parametrize("seed", range(5))
def test_kill(tmp_path: Path, seed: int) -> None:
    """Two runs on one journal are killed: no stored event is lost, no marked one comes again, the file is sound."""
    path = tmp_path / "account.journal"
    rng = random.Random(seed)
    marked = 0
    for run in range(2):
        said = killed(path, f"{seed}{run}", after=rng.randint(1, 400))
        assert said.get("delivered", marked + 1) > marked
        journal = SqliteJournal(path)
        again = [entry.serial for entry in journal.unmarked()]
        checkpoint = journal.resume()
        journal.close()
        now = summary(path)
        # An entry is written before its line is printed, so the file is at most one step ahead of the lines.
        assert now.last >= said.get("stored", 0)
        assert said.get("marked", marked) <= now.mark <= said.get("delivered", marked)
        assert again == list(range(now.mark + 1, now.last + 1))
        assert (checkpoint.proven_until or 0 if checkpoint else 0) >= said.get("proven", 0)
        assert verify(path) == []
        assert {entry.serial for entry in show(path)} >= set(again)
        marked = now.mark


def killed(path: Path, seed: str, after: int) -> dict[str, int]:
    """Kill a stream after so many lines; return the last number that it printed for each word."""
    command = [sys.executable, "-c", STREAM, str(path), seed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stream:
        assert stream.stdout is not None
        lines = list(islice(stream.stdout, after))
        stream.kill()
        lines += stream.stdout
    words = (line.split() for line in lines if line.endswith("\n"))
    return {word: int(number) for word, number in words}
