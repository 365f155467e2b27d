"""The newest word of each asset and each position, and whether what comes in is newer and says anything else.

Words are not heard in the order in which they were true: two links bring them, sockets hold them up, a first snapshot
may have waited, and a read is some time under way. So each has the exchange time of which it speaks, and the newest
wins, whatever came last.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

import msgspec

from ..events import Balance, Position

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row", Balance, Position)


class Verdict(Enum):
    """The relation of a row to the delivered one."""

    NEWS = auto()
    SAME = auto()
    """It is the newest word, and says nothing else."""
    OLDER = auto()
    DISPUTED = auto()
    """Of the same moment by another link, with other content: the delivered row stays."""


NEWS, SAME, OLDER, DISPUTED = Verdict


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """When words were true, and which socket brought them, None for a read."""

    ts: int
    """Exchange time, ms."""
    age: int
    """The key by which stamps compare: the grain of the venue's lists, where a push goes after a read, then the ms."""
    link: int | None

    @classmethod
    def of_read(cls, ts: int, grain: int) -> Stamp:
        """The stamp of a read; `grain` is that of the venue's lists, ms."""
        return cls(ts, ts + ts // grain * grain, None)


class Entry(msgspec.Struct, Generic[Row], frozen=True, gc=False):
    """The newest row of one asset or position, and its time."""

    reported: Row
    row: Row
    """The merged row: what the report left out is kept from before."""
    stamp: Stamp


class MergeOutcome(NamedTuple):
    """The result of merging the rows of a read."""

    news: bool
    overtaken: bool
    """A push of a later moment differs from the read, and stays."""
    disputed: bool
    """A push of the read's own grain, and not after it, differs from the read, and stays."""


class Newest(Generic[Key, Row]):
    """Rows by place. `overlay(row, known)` is what is known after a row, and whether the row says nothing else."""

    def __init__(self, overlay: Callable[[Row, Row | None], tuple[Row, bool]]) -> None:
        self._overlay: Callable[[Row, Row | None], tuple[Row, bool]] = overlay
        self._entries: dict[Key, Entry[Row]] = {}
        self._read: Stamp | None = None
        """The newest read: what is not known was not there then."""

    def get(self, key: Key) -> Row | None:
        """The newest word of this place."""
        entry = self._entries.get(key)
        return None if entry is None else entry.row

    def rows(self) -> list[Row]:
        """The newest words of all places, in no order."""
        return [entry.row for entry in self._entries.values()]

    def until(self, stamp: Stamp) -> list[Entry[Row]]:
        """The words that are no newer than this."""
        return [entry for entry in self._entries.values() if entry.stamp.age <= stamp.age]

    def weigh(self, row: Row, key: Key, stamp: Stamp, moved: object = False) -> Verdict:
        """Keep the row if it is the newest word; one that `moved` something is never the same as another."""
        known = self._entries.get(key)
        if known is None:
            if self._read is not None and stamp.age < self._read.age:
                return OLDER
            kept, same = self._overlay(row, None)
        else:
            kept, same = self._overlay(row, known.row)
            if stamp.age <= known.stamp.age:
                if stamp.age < known.stamp.age:
                    return OLDER
                if stamp.link != known.stamp.link:
                    return OLDER if same else DISPUTED
        self._entries[key] = Entry(row, kept, stamp)
        return NEWS if moved or not same else SAME

    def merge(self, rows: Iterable[tuple[Key, Row]], stamp: Stamp) -> MergeOutcome:
        """Keep the rows of a read where they are the newest word, and forget what it is newer than and leaves out."""
        entries = self._entries
        news = overtaken = disputed = False
        unlisted = set(entries)
        for key, row in rows:
            unlisted.discard(key)
            known = entries.get(key)
            verdict = self.weigh(row, key, stamp)
            if verdict is NEWS:
                news = True
            elif verdict is OLDER and known is not None:
                kept, same = self._overlay(known.reported, row)  # what the word leaves unsaid, the read says
                if same:
                    news = news or not self._overlay(kept, known.row)[1]
                    entries[key] = Entry(known.reported, kept, known.stamp)
                elif known.stamp.ts > stamp.ts:
                    overtaken = True
                else:
                    disputed = True
        for key in unlisted:
            entry = entries[key]
            if entry.stamp.age <= stamp.age:
                del entries[key]
                news = news or not _is_nothing(entry.row)
            elif not _is_nothing(entry.row):
                overtaken, disputed = overtaken or entry.stamp.ts > stamp.ts, disputed or entry.stamp.ts <= stamp.ts
        if self._read is None or stamp.age > self._read.age:
            self._read = stamp
        return MergeOutcome(news, overtaken, disputed)

    def move(self, keys: Callable[[Row], Iterable[tuple[Key, Row]]]) -> None:
        """Keep each word at other places, and of those that meet at one the newest."""
        entries, self._entries = self._entries, {}
        for entry in sorted(entries.values(), key=lambda entry: entry.stamp.age):
            for key, row in keys(entry.row):
                self._entries[key] = Entry(row, row, entry.stamp)


def wallet(row: Balance, known: Balance | None) -> tuple[Balance, bool]:
    """A balance laid over what is known, where what can be spent follows from the rest: the wallet counts."""
    if known is None:
        return row, False
    if row.wallet_balance is None:
        return msgspec.structs.replace(row, wallet_balance=known.wallet_balance), True
    return row, row.wallet_balance == known.wallet_balance


def funds(row: Balance, known: Balance | None) -> tuple[Balance, bool]:
    """A balance laid over what is known, where what can be spent is a figure of its own, and counts."""
    kept, same = wallet(row, known)
    if known is None or row.available == known.available:
        return kept, same
    if row.available is not None:
        return kept, False
    return (msgspec.structs.replace(kept, available=known.available) if same else kept), same


def position(row: Position, known: Position | None) -> tuple[Position, bool]:
    """Merge a position with the known one; one that was closed or turned round differs.

    The entry price is kept only as long as the quantity is the same.
    """
    if known is None:
        return row, not row.qty
    qty, held = row.qty, known.qty
    if not qty or not held:
        return row, qty == held
    if row.side != known.side:
        return row, False
    same = qty == held
    price, margin_mode, leverage = row.entry_price, row.margin_mode, row.leverage
    if leverage is None:
        if known.leverage is not None:
            row = msgspec.structs.replace(row, leverage=known.leverage)
    elif leverage != known.leverage:
        same = False
    if margin_mode is None:
        row = msgspec.structs.replace(row, margin_mode=known.margin_mode)
    if price is None and qty == held:
        row = msgspec.structs.replace(row, entry_price=known.entry_price)
    return row, same and row.margin_mode == known.margin_mode and row.entry_price == known.entry_price


def _is_nothing(row: Balance | Position) -> bool:
    return isinstance(row, Position) and not row.qty
