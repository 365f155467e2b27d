"""The verdict on a run: the fills of the exchange are compared with the delivered ones.

A fill is identified by order, interval, price and fee: one that is delivered with another price counts as lost and as
doubled. A fill from before the beginning of the stream is not due, and it is no mistake to deliver it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from ...core.book import Book, Reconciliation
from ...core.events import AccountUpdate, ExchangeEvent, Fill
from ...core.plain import canonical

BEGINNING_MS = 100
"""Fills within this time after the grant of the first key may be before the beginning by the stream's clock, ms."""


class Piece(NamedTuple):
    """The identity of a fill, which must be equal on both sides."""

    symbol: str
    order_id: str
    start: str
    end: str
    price: str | None
    fee: str | None

    def __str__(self) -> str:
        interval = f"({self.start}, {self.end}]"
        return f"{self.symbol} {self.order_id} {interval} at {self.price or '?'}, fee {self.fee or '?'}"


class Verdict(NamedTuple):
    """Counts of fills, and `MATCHED`, `DRIFTED` or `UNPROVEN` for the money."""

    made: int
    delivered: int
    lost: int
    doubled: int
    ledger: str
    wrong: tuple[str, ...] = ()
    """The fills that were lost or doubled, as texts."""

    @property
    def counts(self) -> dict[str, int | str]:
        """All fields but the texts."""
        return {name: value for name, value in self._asdict().items() if name != "wrong"}

    @property
    def negative(self) -> bool:
        return bool(self.lost or self.doubled or self.ledger != "MATCHED")

    @property
    def sentence(self) -> str:
        counts = f"{self.made} fills made, {self.delivered} delivered, {self.lost} lost, {self.doubled} doubled"
        return f"verdict: {counts}; ledger {self.ledger}"


def judge(
    events: Iterable[ExchangeEvent], books: Iterable[Book], truth: Mapping[str, Any], *, since: int, proven: bool
) -> Verdict:
    """Return the verdict. `truth` is the exchange's, `since` the exchange time, ms, of the first key grant.

    `books` is the stream's own ledger. `proven` is False if the stream has not proven its account at the end.
    """
    delivered_events = list(events)
    made = Counter(_made(row) for row in truth["fills"] if row["ts"] > since + BEGINNING_MS)
    early = Counter(_made(row) for row in truth["fills"] if row["ts"] <= since + BEGINNING_MS)
    delivered = Counter(
        _delivered(event) for event in delivered_events if isinstance(event, Fill) and not event.redelivered
    )
    delivered -= delivered & early
    lost, doubled = made - delivered, delivered - made
    return Verdict(
        made=made.total(),
        delivered=delivered.total(),
        lost=lost.total(),
        doubled=doubled.total(),
        ledger=money(delivered_events, books, truth) if proven else "UNPROVEN",
        wrong=(*(f"lost: {piece}" for piece in lost), *(f"doubled: {piece}" for piece in doubled)),
    )


def money(events: Iterable[ExchangeEvent], books: Iterable[Book], truth: Mapping[str, Any]) -> str:
    """The result for money: MATCHED if each asset's ledger and last delivered balance are the exchange's wallet."""
    known: dict[str, Decimal | None] = {}
    for event in events:
        if isinstance(event, AccountUpdate):
            known.update((each.asset, each.wallet_balance) for each in event.balances)
    kept = list(books)
    owned = {asset: Decimal(amount) for asset, amount in truth["wallet"].items()}
    statuses = {book.status for book in kept}
    if Reconciliation.UNPROVEN in statuses:
        return "UNPROVEN"
    explained = {book.asset: book.k_capital for book in kept}
    return "MATCHED" if statuses == {Reconciliation.MATCHED} and known == explained == owned else "DRIFTED"


def _made(row: Mapping[str, Any]) -> Piece:
    return Piece(row["symbol"], row["order_id"], row["start"], row["end"], row["price"], row["fee"])


def _delivered(fill: Fill) -> Piece:
    start, end = fill.cumulative_qty - fill.fill_qty, fill.cumulative_qty
    price, fee = (None if each is None else canonical(each) for each in (fill.fill_price, fill.fee))
    return Piece(fill.symbol, fill.order_id, canonical(start), canonical(end), price, fee)
