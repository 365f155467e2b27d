"""A journal's file in hand: no other stream writes it, and it is still where it was opened.

Two locks keep others out. The file beside the journal carries one; whoever removes that file, or comes to the journal
by another name, meets the other, on a descriptor of the journal itself. That descriptor is opened before SQLite opens
the file and closed after it: to close any descriptor of a file drops all locks that SQLite has on it in this process.
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
"""Seconds between two looks at the file, at most, while it is written."""


class _Place(NamedTuple):
    """Return the identity of a file, whatever its names are."""

    device: int
    inode: int


_held: dict[_Place, int] = {}
"""The descriptor of every journal that this process writes."""


class Hold:
    """Taken when it is made. Raises `JournalRefused` for a journal that is in use, under whatever name."""

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
        """The files beside it are there now: without the log, too, what is stored would be lost."""
        for end in ("-wal", "-shm"):
            beside = self._path.with_name(self._path.name + end)
            with suppress(FileNotFoundError):
                self._watched[beside] = _place_of(os.stat(beside))

    def look(self, *, now: bool) -> None:
        """Raises `StreamStopped` if a file was moved, removed or replaced; looks every second, or `now`."""
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
        """Let go of both locks; idempotent. SQLite must have closed the file."""
        self._release()


def _taken(path: Path) -> _Place:
    """Lock the file by a descriptor of its own."""
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
    """Raises `BlockingIOError` if another process has it; a file system without such locks has the other one.

    Only on Linux are these locks and those of SQLite not aware of each other.
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
    """A child has no journal: its copies of the descriptors would keep the locks when the parent has died."""
    for descriptor in _held.values():
        os.close(descriptor)
    _held.clear()


def _place_of(found: os.stat_result) -> _Place:
    return _Place(found.st_dev, found.st_ino)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
