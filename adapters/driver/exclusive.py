"""The exclusive use of a journal or a recording by one stream at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...ports.errors import ListenKeyError

_taken: dict[int, object] = {}
"""The journals and recorders of all open streams of this process, by id."""


@contextmanager
def exclusive(*shared: object) -> Iterator[None]:
    """Keep these for one stream during the body: another one would mark events that this one has not dealt with."""
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
