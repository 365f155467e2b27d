"""Passes on each delivered event to those who count on it: cross-check, revisions and ledger; also those of the run
before.
"""

from __future__ import annotations

from ..account.income import Income
from ..account.orders import Orders
from ..actions import Begin
from ..books.cross_check import CrossCheck
from ..books.ledger import Ledger
from ..books.projection import Projection
from ..context import Context
from ..events import BalanceChange, ExchangeEvent, Fill, FillRevised, FundingFee, GapReason, OrderState
from ..execution import Execution, execution
from ..grain import floor
from ..inputs import Checkpoint
from ..reports import Account
from .gap import Gap
from .revisions import Revisions
from .schedule import ReadSchedule


class Memory:
    """Receives every delivered event, and every one of a checkpoint; owns the ledger."""

    def __init__(
        self,
        context: Context,
        orders: Orders,
        income: Income,
        projection: Projection,
        cross_check: CrossCheck,
        revisions: Revisions,
        schedule: ReadSchedule,
        gap: Gap,
    ) -> None:
        self._context = context
        self._gap = gap
        self._orders = orders
        self._income = income
        self._projection = projection
        self._cross_check = cross_check
        self._revisions = revisions
        self._schedule = schedule
        self.ledger = Ledger(context.grain)
        orders.remember = self._remember
        context.listen(FillRevised, self.ledger.apply)
        context.listen(FundingFee, self.ledger.apply)
        context.listen(BalanceChange, self.ledger.apply)

    def begin(self, exchange_ms: int) -> None:
        """Set the exchange time, ms, from which on events are due."""
        self._orders.began = exchange_ms
        self.ledger.begin(exchange_ms)
        self._context.emit(Begin(exchange_ms))

    def resume(self, checkpoint: Checkpoint) -> None:
        """Take up what the run before proved and delivered; what came after it is a gap."""
        orders = self._orders
        orders.began = checkpoint.began
        books_from = checkpoint.began if checkpoint.proven_until is None else checkpoint.proven_until
        self.ledger.begin(books_from)
        for event in checkpoint.events:
            self._recall(event, floor(books_from, self._context.grain))
        if checkpoint.proven_until is not None:
            orders.complete = True
            orders.proven_until = checkpoint.proven_until
        self._gap.open(GapReason.START, self._schedule.window_start)

    def reconcile(self, account: Account, recovered: int, *, agreed: bool) -> None:
        """A read has passed: compare the books with what it says, if all that it says was delivered and `agreed`."""
        unsure = self._cross_check.is_unsure_of(account)
        settled = account.settled and agreed and self._orders.has_delivered(account) and not unsure
        self._cross_check.read(account, recovered, settled)
        self.ledger.reconcile(account, settled)

    def _remember(self, fill: Execution) -> None:
        """Take a delivered fill: add it to the projection and the revisions, cross-check and book it."""
        if fill.fee is None and self._orders.bare_at == self._context.now:
            self._schedule.look_soon()
        self._projection.apply(fill)
        if self._cross_check.waits:
            self._cross_check.check()
        self._revisions.add(fill)
        self.ledger.estimate(fill)

    def _recall(self, event: ExchangeEvent, books_from: int) -> None:
        if (event.exchange_ts or 0) >= books_from:
            if isinstance(event, Fill):
                fill = execution(event, self._context.settlement(event.symbol, event.fee_asset))
                self._revisions.add(fill)
                self.ledger.estimate(fill)
            else:
                self.ledger.apply(event)
        if isinstance(event, FillRevised):
            self._revisions.recall(event)
        elif isinstance(event, OrderState):
            self._orders.recall(event)
        elif isinstance(event, (FundingFee, BalanceChange)):
            self._income.recall(event)
