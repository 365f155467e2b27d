"""The journal after a death: before every statement, inside of every COMMIT, and with the log cut anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from listenkey.adapters.journal import SqliteJournal, summary, verify
from listenkey.core.events import BalanceChange, ExchangeEvent
from listenkey.ports.errors import StreamStopped

from .disk import Disk, Files
from .journal import Crash, Fate, WatchedJournal

T = 1_760_000_000_000
Found = tuple[int, int, int | None]


def payments(first: int, count: int) -> Sequence[ExchangeEvent]:
    """Events of about the size of real ones."""
    return [
        BalanceChange(
            event_id=f"income:TRANSFER:{number}",
            exchange_ts=T + number,
            source="poll",
            amount=Decimal(number),
            asset="USDT" * 200,
            symbol=None,
            reason="TRANSFER",
        )
        for number in range(first, first + count)
    ]


class Run:
    """A run on a journal, and the states that its transactions lead to: last serial, mark, what is proven."""

    def __init__(self, path: Path, fate: Fate, random: Random, durability: Literal["process", "power"]) -> None:
        self.states: list[Found] = [found(path)] if path.exists() else [(0, 0, None)]
        inner = SqliteJournal(path, durability=durability)
        self.journal = WatchedJournal(inner, Disk(path, random), fate, lambda *_: None, cramped=True)

    def live(self, rounds: int) -> None:
        """Store events, `proven_until` and marks, in so many rounds. Raises `Crash`."""
        self.journal.begin(T)
        for number in range(rounds):
            last, _, _ = self.states[-1]
            self.states.append((last + 12, number and last, T + number))
            self.journal.append(payments(last, 12), T + number)
            self.states.append((last + 12, last + 12, T + number))
            self.journal.mark(last + 12)


def found(path: Path) -> Found:
    """Return the state of the journal as a new run finds it: last serial, mark, `proven_until`."""
    SqliteJournal(path).close()
    assert verify(path) == []
    state = summary(path)
    return max(state.last, state.mark), state.mark, state.proven_until


@pytest.mark.parametrize("durability", ["process", "power"])
@pytest.mark.parametrize("power", [False, True])
def test_a_transaction_is_whole_or_not_there(
    tmp_path: Path, durability: Literal["process", "power"], power: bool
) -> None:
    """Wherever the process dies, the file is sound, all that was committed is there, and no transaction is in part.

    Only a machine that loses power under `durability="process"` may find the journal as it was some time before.
    """
    survived: Counter[str] = Counter()
    for steps in range(1, 60):
        path = tmp_path / f"{steps}.journal"
        fate = Fate(lambda: False)
        fate.steps, fate.power = steps, power
        run = Run(path, fate, Random(steps), durability)
        with pytest.raises(Crash):
            run.live(100)
        run.journal.dies()
        survived += fate.survived
        state = found(path)
        if power and durability == "process":
            assert state in run.states
        else:
            assert state in run.states[-2:]
    assert len(survived) == 3


def test_a_log_that_is_cut_at_any_byte_is_read_up_to_there(tmp_path: Path) -> None:
    """The journal is found in the state that some transaction left; with more of the log, in a later one."""
    path = tmp_path / "a.journal"
    run = Run(path, Fate(lambda: False), Random(1), "process")
    run.live(3)
    disk = Disk(path, Random(1))
    whole = disk.now()
    run.journal.close()
    states = []
    for cut in range(0, len(whole.wal), 509):
        disk.restore(Files(whole.db, whole.wal[:cut], b""))
        states.append(found(path))
    disk.restore(whole)
    states.append(found(path))
    assert states == sorted(states, key=run.states.index)
    assert set(states) == set(run.states)


def test_a_full_disk_leaves_nothing_in_part(tmp_path: Path) -> None:
    """A batch that the full disk refused is not stored; the next one is, once there is room."""
    path = tmp_path / "a.journal"
    full = True
    fate = Fate(lambda: full)
    journal = WatchedJournal(SqliteJournal(path), Disk(path, Random(1)), fate, lambda *_: None, cramped=True)
    with pytest.raises(StreamStopped, match="disk is full"):
        journal.append(payments(0, 12), T)
    full = False
    journal.append(payments(0, 3), T)
    journal.close()
    assert found(path) == (3, 0, T)
