"""What was delivered, for all who count on it: the witness, the revisions and the ledger; also by the run before."""

from __future__ import annotations

from ..account.ground import Ground
from ..account.income import Income
from ..actions import Begin
from ..books.fold import Fold
from ..books.ledger import Ledger
from ..books.witness import Witness
from ..events import BalanceChange, ExchangeEvent, Fill, FillRevised, FundingFee, GapReason, OrderState
from ..execution import Execution, execution
from ..grain import floor
from ..inputs import Checkpoint
from ..reports import Account
from ..turn import Turn
from .gap import Gap
from .reads import Reads
from .revisions import Revisions


class Memory:
    """Told of all that is delivered and of all that a checkpoint holds; the ledger is its own."""

    def __init__(
        self,
        turn: Turn,
        ground: Ground,
        income: Income,
        fold: Fold,
        witness: Witness,
        revisions: Revisions,
        reads: Reads,
        gap: Gap,
    ) -> None:
        self._turn = turn
        self._gap = gap
        self._ground = ground
        self._income = income
        self._fold = fold
        self._witness = witness
        self._revisions = revisions
        self._reads = reads
        self.ledger = Ledger(turn.grain)
        ground.remember = self._remember
        turn.listen(FillRevised, self.ledger.apply)
        turn.listen(FundingFee, self.ledger.apply)
        turn.listen(BalanceChange, self.ledger.apply)

    def begin(self, exchange_ms: int) -> None:
        """What happens from this exchange time on is owed."""
        self._ground.began = exchange_ms
        self.ledger.begin(exchange_ms)
        self._turn.emit(Begin(exchange_ms))

    def resume(self, checkpoint: Checkpoint) -> None:
        """What the run before proved, and what it told since; what came after it is a gap."""
        ground = self._ground
        ground.began = checkpoint.began
        books_from = checkpoint.began if checkpoint.proven_until is None else checkpoint.proven_until
        self.ledger.begin(books_from)
        for event in checkpoint.events:
            self._recall(event, floor(books_from, self._turn.grain))
        if checkpoint.proven_until is not None:
            ground.complete = True
            ground.proven_until = checkpoint.proven_until
        self._gap.trouble(GapReason.START, self._reads.window_start)

    def settle(self, account: Account, recovered: int, *, agreed: bool) -> None:
        """A read has passed: compare the books with what it says, if all that it says was delivered and `agreed`."""
        unsure = self._witness.is_unsure_of(account)
        settled = account.settled and agreed and self._ground.has_told(account) and not unsure
        self._witness.read(account, recovered, settled)
        self.ledger.settle(account, settled)

    def _remember(self, fill: Execution) -> None:
        """A fill was delivered: what it moved is folded, checked by the witness and booked."""
        if fill.fee is None and self._ground.bare_at == self._turn.now:
            self._reads.look_soon()
        self._fold.apply(fill)
        if self._witness.waits:
            self._witness.check()
        self._revisions.told(fill)
        self.ledger.estimate(fill)

    def _recall(self, event: ExchangeEvent, books_from: int) -> None:
        if (event.exchange_ts or 0) >= books_from:
            if isinstance(event, Fill):
                fill = execution(event)
                self._revisions.told(fill)
                self.ledger.estimate(fill)
            else:
                self.ledger.apply(event)
        if isinstance(event, FillRevised):
            self._revisions.recall(event)
        elif isinstance(event, OrderState):
            self._ground.recall(event)
        elif isinstance(event, (FundingFee, BalanceChange)):
            self._income.recall(event)
