"""The journal's files and what a death leaves of them: a torn COMMIT, a write-ahead log cut at any byte."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

WAL_HEADER, FRAME_HEADER = 32, 24
_COMMITTED_FRAMES, _BACKFILLED_FRAMES = 16, 96
_SALTS = slice(16, 24)
_FULL = 2


class Files(NamedTuple):
    """A database, its write-ahead log, and the index of the log that processes share."""

    db: bytes
    wal: bytes
    shm: bytes


class Disk:
    """The files of one journal. `death` returns them as a death leaves them, `restore` puts them back."""

    def __init__(self, path: Path, random: Random) -> None:
        self._paths = tuple(path.with_name(path.name + end) for end in ("", "-wal", "-shm"))
        self._random = random

    def now(self) -> Files:
        """The contents of the files as another process would read them now."""
        return Files(*(path.read_bytes() if path.exists() else b"" for path in self._paths))

    def death(self, connection: sqlite3.Connection, commit: Callable[[], object] | None, *, power: bool) -> Files:
        """The files as a death leaves them, now or inside of `commit`; with `power`, the power is lost too.

        Of the bytes that a commit writes to the log, any first part may be there. Pages are copied from the log to the
        database, in any order, only once the log is complete. Without power all that was not synced may be lost.
        """
        before = self.now()
        after = before
        if commit is not None:
            commit()
            after = self._torn(before, self.now())
        if not power:
            return after
        first = self._synced(connection, before, after)
        wal = after.wal[: self._random.randint(first, len(after.wal))] if first < len(after.wal) else after.wal
        if self._random.random() < 0.5:  # the file may keep its length, with zeros in it
            wal = wal.ljust(len(after.wal), b"\0")
        return Files(after.db, wal, b"")

    def restore(self, files: Files) -> None:
        """Write the files with these contents, and delete those that are empty."""
        for path, content in zip(self._paths, files, strict=True):
            path.unlink(missing_ok=True)
            if content:
                path.write_bytes(content)

    def _torn(self, before: Files, after: Files) -> Files:
        random = self._random
        if before.db != after.db:
            return Files(self._mixed(before.db, after.db, _page(after.wal)), after.wal, before.shm)
        longest = max(len(before.wal), len(after.wal))
        one, two = before.wal.ljust(longest, b"\0"), after.wal.ljust(longest, b"\0")
        first = next((at for at in range(0, longest, 512) if one[at : at + 512] != two[at : at + 512]), longest)
        cut = random.choice((first, longest, random.randint(first, longest)))
        wal = two[:cut] + one[cut:]
        return Files(before.db, wal[: max(cut, len(before.wal))], before.shm)

    def _mixed(self, old: bytes, new: bytes, page: int) -> bytes:
        old = old.ljust(len(new), b"\0")
        pages = range(0, len(new), page)
        return b"".join((old if self._random.random() < 0.5 else new)[at : at + page] for at in pages)

    def _synced(self, connection: sqlite3.Connection, before: Files, after: Files) -> int:
        """Return how many bytes of the log survive a loss of power: by mode, all commits or what was written back."""
        if before.wal[_SALTS] != after.wal[_SALTS] or not before.shm or before.db != after.db:
            return len(after.wal) if before.db != after.db else 0
        (mode,) = connection.execute("PRAGMA synchronous").fetchone()
        place = _COMMITTED_FRAMES if mode == _FULL else _BACKFILLED_FRAMES
        frames = int.from_bytes(before.shm[place : place + 4], sys.byteorder)
        return min(len(after.wal), WAL_HEADER + frames * (FRAME_HEADER + _page(after.wal)))


def _page(wal: bytes) -> int:
    return int.from_bytes(wal[8:12], "big") or 4096
