"""The exclusive use of a journal or a recording by one stream at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...ports.errors import ListenKeyError

_taken: dict[int, object] = {}
"""Journals and recorders of the streams that are open in this process, by id, whichever venue has them."""


@contextmanager
def exclusive(*shared: object) -> Iterator[None]:
    """No other stream has any of these meanwhile: one would mark what the other has not dealt with."""
    stream = object()
    mine = [id(each) for each in shared if each is not None]
    try:
        if any(_taken.setdefault(each, stream) is not stream for each in mine):
            raise ListenKeyError("one stream at a time has a journal or a recording, and another one has it")
        yield
    finally:
        for each in mine:
            if _taken.get(each) is stream:
                del _taken[each]
