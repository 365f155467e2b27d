"""The interface of the followers that are compared."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol


class Follower(Protocol):
    """Follows an account in its own way, from the entry of its context on."""

    name: str
    fills: list[str]
    """The order id of each delivered fill, in the order of delivery."""
    warnings: int
    """The number of times at which it learned that something may be missing."""

    async def __aenter__(self) -> Follower: ...

    async def __aexit__(self, *_: object) -> None: ...

    @property
    def ready(self) -> bool:
        """True if it is connected, as far as it knows."""

    async def wallet(self) -> Decimal | str | None:
        """The balance of USDT, read now; the name of the error if the read raises one."""
