"""Reading the account by REST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..core.kinds import Purpose
from ..core.reports import Account, OrderRef
from .service import Service


class AccountReader(Protocol):
    """Reads one account. A result is whole: any part that failed fails the read."""

    def read(
        self, since: int | None, orders: Sequence[OrderRef] = (), *, purpose: Purpose = Purpose.SYNC
    ) -> Service[Account]:
        """The account as `ReadAccount` asks for it. Raises `RequestRefused`, classified; never returns half a read."""
