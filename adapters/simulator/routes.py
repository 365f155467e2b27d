"""A REST endpoint: its function and the parameters that it understands. Other parameters are refused, not ignored."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import msgspec

from .queries import Params
from .rules import not_modelled

COMMON = frozenset({"timestamp", "recvWindow", "signature"})
"""The parameters that every call may have; the gateway reads them."""


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """The extent of an answer: fills up to `fills_until` (exchange ms; None: all), amounts or empty strings."""

    fills_until: int | None = None
    lag_income: bool = False
    empty_amounts: bool = False


CLEAR = Sight()


class Route(NamedTuple):
    """An endpoint: `answer` takes parameters, exchange time, ms, and the extent, and returns the answer's `data`."""

    answer: Callable[[Params, int, Sight], Any]
    names: Collection[str] = ()

    def __call__(self, params: Params, now: int, sight: Sight) -> Any:
        """Return the data. Raises `OrderRefused` for a parameter that is not understood."""
        check_names(params, self.names)
        return self.answer(params, now, sight)


def check_names(params: Params, names: Collection[str]) -> None:
    """Raise `OrderRefused` for a parameter that is none of these and has a value."""
    for name, value in params.items():
        if value and name not in COMMON and name not in names:
            raise not_modelled(name)
