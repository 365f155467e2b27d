"""A REST endpoint: what answers it, and which parameters it understands. Any other is refused, never ignored."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import msgspec

from .queries import Params
from .rules import not_modelled

COMMON = frozenset({"timestamp", "recvWindow", "signature"})
"""The parameters that every call may have; the gateway reads them."""


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """The extent of an answer: fills up to `fills_until` (exchange ms) or all, amounts or empty strings."""

    fills_until: int | None = None
    lag_income: bool = False
    empty_amounts: bool = False


CLEAR = Sight()


class Route(NamedTuple):
    """`answer` takes the parameters, exchange time in ms, and what may be seen; it gives the `data` of the answer."""

    answer: Callable[[Params, int, Sight], Any]
    names: Collection[str] = ()

    def __call__(self, params: Params, now: int, sight: Sight) -> Any:
        """The data. Raises `OrderRefused` for a parameter that is not understood."""
        check_names(params, self.names)
        return self.answer(params, now, sight)


def check_names(params: Params, names: Collection[str]) -> None:
    """Raises `OrderRefused` for a parameter that is none of these and has a value."""
    for name, value in params.items():
        if value and name not in COMMON and name not in names:
            raise not_modelled(name)
