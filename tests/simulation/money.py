"""The true history of the account's money, against which balances, positions, payments and books are held."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from listenkey.adapters.simulator.binance import words
from listenkey.adapters.simulator.book import Income
from listenkey.core.book import Reconciliation
from listenkey.core.connection import Connection
from listenkey.core.events import AccountUpdate, BalanceChange, ExchangeEvent, FundingFee

from .exchange import Market
from .setup import Setup
from .venues import USDM
from .violation import Violation

ZERO = Decimal(0)
SECOND = 1_000
SNAPSHOT_AGE = 5_000
"""ms by which the state shown by a read may be older than its stamp, with the exchange's clock off or not."""
_OF_FILLS = frozenset({"REALIZED_PNL", "TRADING_FEE"})
_FUNDING = frozenset({"FUNDING_FEE", "SPECIAL_FUNDING_FEE"})


class _Word(NamedTuple):
    """The last delivered value of an asset or a position, signed, and its age."""

    amount: Decimal
    age: tuple[int, bool, int]


class Money:
    """One account's history of money, and which payments were delivered in the stream so far."""

    def __init__(self, market: Market, setup: Setup) -> None:
        self._setup = setup
        self._exchange = market.exchange
        self._wallets: dict[str, set[Decimal]] = {}
        self._held: dict[tuple[str, str], list[tuple[int, Decimal]]] = {}
        self._weather = market.door.weather
        self._seen: set[tuple[str, str]] = set()
        """Positions that this process has delivered; an answer without a list can hide one that it has not, unless it
        is the first, and its balances have a profit that is not realised."""
        self.note()
        market.changed.append(self.note)
        self.new_stream()

    def new_stream(self) -> None:
        """Begin a new stream: nothing has been delivered."""
        self.began: int | None = None
        self._paid: dict[str, Decimal | None] = {}
        self.new_process()

    def new_process(self) -> None:
        """Another process begins: its events are not compared with those of the process before."""
        self._words: dict[str | tuple[str, str], _Word] = {}
        self._seen.clear()
        self._has_read = False

    def note(self) -> None:
        """Record the wallets and positions as they are now."""
        now = self._exchange.now
        for asset, wallet in self._exchange.account.book.wallets.items():
            self._wallets.setdefault(asset, set()).add(wallet.balance)
        for (symbol, side), position in self._exchange.account._positions.items():
            past = self._held.setdefault((symbol, side), [(0, ZERO)])
            if past[-1][1] != position.qty:
                past.append((now, position.qty))

    def deliver(self, event: ExchangeEvent) -> None:
        """An event is delivered; a final payment may be delivered only once."""
        if isinstance(event, BalanceChange) or (isinstance(event, FundingFee) and not event.provisional):
            if event.event_id in self._paid:
                raise Violation("payments-kept", f"{event.event_id} is delivered twice")
            self._paid[event.event_id] = event.amount

    def check_payments(self) -> None:
        """At rest: raise unless all payments since the beginning were delivered, and no others."""
        if self.began is None:
            return
        rows = [row for row in self._exchange.account.book.income if self._is_due(row) and row.type not in _OF_FILLS]
        owed = {self._payment_id(row): row.amount for row in rows}
        if owed != self._paid:
            wrong = sorted(name for name in owed.keys() | self._paid if owed.get(name) != self._paid.get(name))
            raise Violation("payments-kept", f"{[(name, owed.get(name), self._paid.get(name)) for name in wrong]}")

    def account(self, event: AccountUpdate) -> None:
        """Balances and positions are delivered: raise if the account was never so, or was so before the last."""
        said: dict[str | tuple[str, str], Decimal] = {}
        for balance in event.balances:
            if balance.wallet_balance is None:
                continue
            said[balance.asset] = balance.wallet_balance
            if balance.wallet_balance not in self._wallets.get(balance.asset, {ZERO}):
                raise Violation("only-the-truth", f"the wallet never was {balance.wallet_balance} {balance.asset}")
        places = set()
        for position in event.positions:
            sign = -1 if position.side == "SHORT" else 1
            side = (position.side or "LONG") if self._exchange.hedge else "BOTH"
            places.add((position.symbol, side))
            said[position.symbol, side] = position.qty * sign
            past = self._held.get((position.symbol, side), [(0, ZERO)])
            if position.qty * sign not in {qty for _, qty in past[-400:]}:
                raise Violation("only-the-truth", f"the position never was {position.side} {position.qty}")
        if event.complete:
            self._check_complete(event, places)
        self._seen |= places
        self._has_read = self._has_read or event.source == "poll"
        self._hear(event, said)

    def _hear(self, event: AccountUpdate, said: dict[str | tuple[str, str], Decimal]) -> None:
        """Raise if a value is older than the last: by grain, in which a push goes after a read, then by ms.

        A read, complete or not, has newer words in place of its own rows.
        """
        ts, read = event.exchange_ts or 0, event.source == "poll"
        age = (ts // self._setup.grain, not read, ts)
        for place in said.keys() | (self._words.keys() if event.complete else ()):
            amount, before = said.get(place, ZERO), self._words.get(place)
            if before is not None and age < before.age:
                if not read or amount != before.amount:
                    raise Violation("last-word-true", f"{place}: {amount} of {age[2]} after {before}")
            else:
                self._words[place] = _Word(amount, age)

    def check_last_words(self) -> None:
        """At rest and after a read: raise unless the last delivered values are those of the account."""
        account = self._exchange.account
        for asset, wallet in account.book.wallets.items():
            self._check_last(asset, wallet.balance)
        for place in {place for place in self._words if isinstance(place, tuple)} | account._positions.keys():
            self._check_last(place, account.position(*place).qty)

    def _check_last(self, place: str | tuple[str, str], amount: Decimal) -> None:
        word = self._words.get(place)
        if (ZERO if word is None else word.amount) != amount:
            raise Violation("last-word-true", f"{place} is {amount}, and {word} was delivered last")

    def _check_complete(self, event: AccountUpdate, places: set[tuple[str, str]]) -> None:
        if not {balance.asset for balance in event.balances} >= set(self._exchange.account.book.wallets):
            raise Violation("full-is-full", "a complete account lacks an asset")
        since = (event.exchange_ts or 0) - SNAPSHOT_AGE
        belied = not self._has_read and any(balance.unrealized_pnl for balance in event.balances) and not places
        credible = self._weather.on("hollow") is not None and not belied
        for place, past in self._held.items():
            if place not in places and (place in self._seen or not credible):
                recent = [qty for ts, qty in past if ts >= since] + [[qty for ts, qty in past if ts < since][-1]]
                if ZERO not in recent:
                    raise Violation("full-is-full", f"a complete account lacks the position {place}")

    def check_drift(self, connection: Connection) -> None:
        """After a read, with no gap open: raise if a book has drifted, since the exchange's own never do."""
        for book in connection.books:
            if book.status is Reconciliation.DRIFTED:
                raise Violation("ledger-true", f"{book} though no gap is open")

    def check_books(self, connection: Connection, *, whole_stream: bool) -> None:
        """At rest: raise unless every book matches its wallet and, for a whole stream, the exchange's rows."""
        books = {book.asset: book for book in connection.books}
        for asset, wallet in self._exchange.account.book.wallets.items():
            book = books[asset]
            if book.status is not Reconciliation.MATCHED or book.k_capital != wallet.balance:
                raise Violation("ledger-true", f"{asset}: {book}, and the wallet is {wallet.balance}")
            if whole_stream and self.began is not None:
                rows = [row for row in self._exchange.account.book.income if self._is_due(row) and row.asset == asset]
                own = dict.fromkeys(("TRADING_FEE", "REALIZED_PNL", "FUNDING_FEE", "TRANSFER"), ZERO)
                for row in rows:
                    own["FUNDING_FEE" if row.type in _FUNDING else row.type] += row.amount
                said = {
                    "TRADING_FEE": -book.fees,
                    "REALIZED_PNL": book.realized_pnl,
                    "FUNDING_FEE": book.funding,
                    "TRANSFER": book.transfers,
                }
                if own != said:
                    raise Violation("ledger-true", f"{asset}: the exchange has {own}, the books {said}")

    def _is_due(self, row: Income) -> bool:
        """True if by the times of lists the row is not older than the stream; of funding they name whole seconds."""
        assert self.began is not None
        grain = max(self._setup.grain, SECOND) if row.type in _FUNDING else self._setup.grain
        return row.ts >= self.began // grain * grain

    def _payment_id(self, row: Income) -> str:
        name = row.tran_id if self._setup.venue != USDM else str(words.tran_id(row.tran_id))
        return f"funding:{name}" if row.type in _FUNDING else f"income:{row.type}:{name}"
