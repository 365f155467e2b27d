"""A REST endpoint: its function, its weight, the security it needs, and the parameters it understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from .errors import invalid, missing, not_modelled

Params = Mapping[str, str]
Security = Literal["NONE", "KEY", "SIGNED"]
COMMON = frozenset({"timestamp", "recvWindow", "signature"})
"""The parameters that every call may have; the gateway reads them."""
WEEK_MS = 7 * 86_400_000


class Sight(NamedTuple):
    """The extent of an answer: fills, their bookings, and orders up to these exchange times, ms; None: all."""

    fills_until: int | None = None
    income_until: int | None = None
    orders_until: int | None = None


CLEAR = Sight()


class Route(NamedTuple):
    """An endpoint: `answer` takes parameters, exchange time, ms, and extent; `alone` is the weight with a symbol."""

    answer: Callable[[Params, int, Sight], Any]
    names: tuple[str, ...] = ()
    weight: int = 1
    alone: int | None = None
    security: Security = "SIGNED"
    orders: int = 0
    """The number of orders as which a call counts."""

    def weighs(self, params: Params) -> int:
        """The weight of a call."""
        return self.weight if self.alone is None or not params.get("symbol") else self.alone

    def __call__(self, params: Params, now: int, sight: Sight) -> Any:
        """Return the answer. Raises `Refusal`, also for a parameter that is not understood."""
        for name, value in params.items():
            if value and name not in COMMON and name not in self.names:
                raise not_modelled(f"Parameter '{name}'")
        return self.answer(params, now, sight)


def required(params: Params, name: str) -> str:
    """The value of a parameter. Raises `Refusal` if it is missing."""
    if not (value := params.get(name, "")):
        raise missing(name)
    return value


def whole(params: Params, name: str) -> int | None:
    """A whole number, None if it is missing. Raises `Refusal` for another text."""
    text = params.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise missing(name)
    return int(text)


def limit(params: Params, default: int, most: int) -> int:
    """The number of rows that the caller wants. Raises `Refusal` if it is not between 1 and `most`."""
    found = whole(params, "limit")
    if found is None:
        return default
    if not 0 < found <= most:
        raise invalid("limit")
    return found


def flag(params: Params, name: str, default: bool = False) -> bool:
    """The value of `true` or `false`, in upper or lower case. Raises `Refusal` for another text."""
    said = params.get(name, "").lower()
    if said not in {"", "true", "false"}:
        raise invalid(name)
    return said == "true" if said else default
