"""A venue's services do no I/O. Each is a generator that yields what it needs next, and is sent what came of it.

A `Service[T]` is started by `next`, and is sent the time, in seconds of a monotonic clock, with an outcome: that of a
`Request` is its answer or `NoAnswer`, of a `Wait` None, of `Both` the tuple of all results, or the exception of a part
that failed. It returns a `T` or raises, `RequestRefused` where it was refused. Nothing is ever thrown into it; whoever
gives it up closes it.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar, overload

from .http import HttpResponse

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


class Request(NamedTuple):
    """Send this; the URL is already encoded, `timeout` is seconds for the whole exchange."""

    method: str
    url: str
    headers: Mapping[str, str]
    timeout: float

    def __repr__(self) -> str:
        return f"Request({self.method}, {len(self.headers)} headers, timeout={self.timeout})"


class Wait(NamedTuple):
    """Go on at this time, and not before; at once if it is over."""

    until: float


class Both(NamedTuple):
    """Run these at the same time. When one fails the others are closed, and only then the failure is the outcome."""

    parts: tuple[Service[Any], ...]


class NoAnswer(NamedTuple):
    """No whole answer came. Not `reached`: the server cannot have seen the request. The message has no URL in it."""

    message: str
    reached: bool = True


Step: TypeAlias = Request | Wait | Both
Outcome: TypeAlias = HttpResponse | NoAnswer | tuple[Any, ...] | Exception | None
Service: TypeAlias = Generator[Step, tuple[float, Outcome], T]


def clock() -> Service[float]:
    """The time now."""
    return (yield from wait(-math.inf))


def wait(until: float) -> Service[float]:
    """Wait until then; the time at which that was over."""
    now, _ = yield Wait(until)
    return now


def ask(request: Request) -> Service[tuple[float, HttpResponse | NoAnswer]]:
    """Send a request; when it was over, and what came of it."""
    now, outcome = yield request
    assert isinstance(outcome, HttpResponse | NoAnswer)
    return now, outcome


@overload
def both(a: Service[A], b: Service[B], /) -> Service[tuple[A, B]]: ...
@overload
def both(a: Service[A], b: Service[B], c: Service[C], /) -> Service[tuple[A, B, C]]: ...
@overload
def both(*parts: Service[T]) -> Service[tuple[T, ...]]: ...
def both(*parts: Service[Any]) -> Service[tuple[Any, ...]]:
    """Run parts at the same time; their results in order. Raises what the first of them that failed has raised."""
    _, outcome = yield Both(parts)
    if isinstance(outcome, Exception):
        raise outcome
    assert isinstance(outcome, tuple)
    return outcome
