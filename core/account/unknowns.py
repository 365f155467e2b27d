"""Frames that nobody understands: at most one of a shape is delivered in a second, with the number that it stands for.

A venue that begins to send something new sends it again and again. The first frame of a shape is delivered at once; of
those that follow within a second the newest is delivered when the second is over, with their number in `count`. So the
counts add up to the number of frames. What is of a documented kind is no noise, and each of it is delivered.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

import msgspec

from ..context import Context
from ..events import Unknown
from ..timers import Timer

EVERY = 1.0
SHAPES = 256
"""So many shapes are kept apart within a second; the rest are one."""
REMEMBERED = 64
"""Ids of events of documented kinds, which come once on each link."""
_DEEP, _WIDE, _LONG = 4, 32, 16
"""How far a shape is looked at: levels, keys of an object, values of a list."""
_PLAIN_WORD = re.compile(r"[A-Za-z_]{1,32}").fullmatch


class _Left(NamedTuple):
    """Of one shape: until when it is left out, the newest that was, and how many were."""

    until: float
    newest: Unknown | None = None
    number: int = 0


class Unknowns:
    """Remembers for each shape how much of it was left out since it was delivered last."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._shapes: dict[str, _Left] = {}
        self._delivered: dict[str, None] = {}

    def take(self, shape: str, event: Unknown) -> None:
        """Deliver the event, or leave it out for now."""
        name = shape if len(self._shapes) < SHAPES else self._name(shape)
        left = self._shapes.get(name)
        if left is None or (left.newest is None and left.until <= self._context.now):
            self._shapes[name] = _Left(self._context.now + EVERY)
            self._context.deliver(event)
        else:
            self._shapes[name] = _Left(left.until, event, left.number + 1)
            if left.newest is None:
                self._arm()

    def deliver(self, event: Unknown) -> None:
        """Deliver the event, of a documented kind, unless another link has brought it."""
        if event.event_id not in self._delivered:
            self._delivered[event.event_id] = None
            if len(self._delivered) > REMEMBERED:
                del self._delivered[next(iter(self._delivered))]
            self._context.deliver(event)

    def release(self, *, all_of_them: bool = False) -> None:
        """Deliver what has been left out for long enough, or all of it."""
        now = self._context.now
        for shape, left in self._shapes.items():
            if left.newest is not None and (all_of_them or left.until <= now):
                self._shapes[shape] = _Left(now + EVERY)
                self._context.deliver(msgspec.structs.replace(left.newest, count=left.number))
        self._arm()

    def _name(self, shape: str) -> str:
        """The shape, if there is room for it after those that are not left out any more have gone; else no name."""
        if shape not in self._shapes:
            now = self._context.now
            self._shapes = {name: left for name, left in self._shapes.items() if left.newest or now < left.until}
        return shape if shape in self._shapes or len(self._shapes) < SHAPES else ""

    def _arm(self) -> None:
        due = min((left.until for left in self._shapes.values() if left.newest is not None), default=None)
        if due is None:
            self._context.timers.cancel((Timer.UNKNOWN, 0))
        else:
            self._context.timers.arm((Timer.UNKNOWN, 0), due)


def shape_of(content: object) -> str:
    """Return a digest of the keys, the types of plain values and the plain words at the top: the shape of a frame."""
    return hashlib.blake2b(_sketch(content, 0).encode(errors="surrogatepass"), digest_size=12).hexdigest()


def reason_of(why: str) -> str:
    """The shape of what cannot be read: why, wherever in the frame."""
    return "unreadable: " + re.sub(r"[0-9]+", "", why)[:80]


def _sketch(value: object, depth: int) -> str:
    if isinstance(value, dict) and depth < _DEEP:
        keys = sorted(map(str, value))[:_WIDE]
        return "{" + ",".join(f"{key[:_WIDE]}:{_sketch(value.get(key), depth + 1)}" for key in keys) + "}"
    if isinstance(value, list) and depth < _DEEP:
        return "[" + "|".join(sorted({_sketch(each, depth + 1) for each in value[:_LONG]})) + "]"
    if isinstance(value, str) and depth == 1 and _PLAIN_WORD(value):
        return value
    return type(value).__name__
