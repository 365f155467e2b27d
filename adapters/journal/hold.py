"""Holds a journal's file: no other stream may write it, and it must stay where it was opened.

There are two locks. One is on a file beside the journal. The other is on a descriptor of the journal itself, for the
case that the first file is removed or the journal opened by another name. That descriptor is opened before SQLite opens
the file and closed after it: closing any descriptor of a file drops all locks that SQLite has on it in this process.
"""

from __future__ import annotations

import os
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection
from time import monotonic
from typing import NamedTuple

from ...ports.errors import JournalRefused, StreamStopped
from .schema import create_private, lock

LOOK_EVERY = 1.0
"""The longest time, s, between two checks of the file while it is written."""


class _Place(NamedTuple):
    """The identity of a file, which does not depend on its name."""

    device: int
    inode: int


_held: dict[_Place, int] = {}
"""The descriptor of every journal that this process writes."""


class Hold:
    """Locks the journal when it is made. Raises `JournalRefused` if it is in use, under this or another name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = lock(path)
        try:
            self._place = _taken(path)
        except BaseException:
            self._beside.close()
            raise
        self._release = weakref.finalize(self, _let_go, self._beside, self._place)
        self._release.atexit = False
        self._watched = {path: self._place}
        self._next_look = monotonic() + LOOK_EVERY

    def watch(self) -> None:
        """Also watch the files beside it, which exist now: without the write-ahead log events would be lost too."""
        for end in ("-wal", "-shm"):
            beside = self._path.with_name(self._path.name + end)
            with suppress(FileNotFoundError):
                self._watched[beside] = _place_of(os.stat(beside))

    def look(self, *, now: bool) -> None:
        """Raise `StreamStopped` if a file was moved, removed or replaced; checks once a second, or `now`."""
        at = monotonic()
        if not now and at < self._next_look:
            return
        self._next_look = at + LOOK_EVERY
        for path, place in self._watched.items():
            try:
                found = _place_of(os.stat(path))
            except OSError as error:
                raise StreamStopped(f"the journal's file {path} was moved or removed: {error.strerror}") from error
            if found != place:
                raise StreamStopped(f"the journal's file {path} was replaced: it is another one now")

    def close(self) -> None:
        """Release both locks; idempotent. SQLite must have closed the file."""
        self._release()


def _taken(path: Path) -> _Place:
    """Lock the file by a descriptor of our own; return its identity."""
    try:
        create_private(path)
        place = _place_of(os.stat(path))
        if place in _held:
            raise JournalRefused(f"{path}: the journal is in use by another stream")
        descriptor = os.open(path, os.O_RDWR)
    except OSError as error:
        raise JournalRefused(f"{path}: the journal cannot be opened: {error}") from error
    try:
        _lock(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise JournalRefused(f"{path}: the journal is in use by another stream") from error
    place = _place_of(os.fstat(descriptor))
    _held[place] = descriptor
    return place


def _lock(descriptor: int) -> None:
    """Lock the descriptor. Raises `BlockingIOError` if another process has the lock.

    A file system without such locks is left to the other lock. Only on Linux do these locks not affect SQLite's.
    """
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            return


def _let_go(beside: Connection, place: _Place) -> None:
    beside.close()
    descriptor = _held.pop(place, None)
    if descriptor is not None:
        os.close(descriptor)


def _forked() -> None:
    """Close the descriptors in a forked child, where they would keep the locks after the parent's death."""
    for descriptor in _held.values():
        os.close(descriptor)
    _held.clear()


def _place_of(found: os.stat_result) -> _Place:
    return _Place(found.st_dev, found.st_ino)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
