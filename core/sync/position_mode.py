"""Hedge or one-way, as orders and as positions say it: a switch in a stream is reported, and the account is read.

A push of no side and no quantity closes the position of an account that nets them. Of the two sides that a symbol has
in another account it says nothing.
"""

from __future__ import annotations

import msgspec

from ..context import Context
from ..reports import Account, AccountReport, OrderReport
from .doubts import Doubts


class PositionMode:
    """The mode by the last report; an account without positions shows none."""

    def __init__(self, context: Context, doubts: Doubts) -> None:
        self._context = context
        self._doubts = doubts
        self.sideless: bool | None = None
        """True if orders name no position side; None before the first."""
        self.nets: bool | None = None
        """True if a symbol has one position; None before the first."""

    def ordered(self, report: OrderReport) -> None:
        """An order names a position side where the one before named none, or the other way round."""
        sideless = report.position_side is None
        if self.sideless is not None:
            self._switched(f"orders name {'no' if sideless else 'a'} position side", read=True)
        self.sideless = sideless

    def pushed(self, report: AccountReport) -> AccountReport:
        """Take a push that shows another mode than the last report, if it has positions; return what it says.

        One that may be about no side of an account that has two is without them, and the account is read.
        """
        nets = self.sideless if self.nets is None else self.nets
        if not nets and report.positions and all(position.side is None for position in report.positions):
            self._doubts.doubt("position of no side", None, gap=False)
            return msgspec.structs.replace(report, positions=(), one_way=False)
        self._hold(report, read=True)
        return report

    def read(self, account: Account) -> None:
        """A read of the account."""
        self._hold(account, read=False)

    def _hold(self, shown: AccountReport | Account, *, read: bool) -> None:
        if shown.positions and shown.one_way is not self.nets:
            if self.nets is not None:
                self._switched(f"the account {'nets' if shown.one_way else 'does not net'} its positions", read=read)
            self.nets = shown.one_way

    def _switched(self, what: str, *, read: bool) -> None:
        self._context.report("position mode changed", what)
        if read:
            self._doubts.doubt("position mode", None, gap=False)
