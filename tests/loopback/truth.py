"""Judges the delivered events by the exchange's truth: fills, their order, balances, positions, ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from listenkey.core.book import Book
from listenkey.core.events import AccountUpdate, ExchangeEvent, Fill, FillRevised
from listenkey.core.plain import canonical
from listenkey.core.totals import totals

ZERO = Decimal(0)
Coverage = dict[str, list[tuple[Decimal, Decimal]]]


class Piece(NamedTuple):
    """The fields of one fill that must be equal on the exchange and as delivered."""

    order_id: str
    start: str
    end: str
    price: str | None
    fee: str | None


class Verdict(NamedTuple):
    """Numbers of fills, and texts about all errors."""

    made: int
    delivered: int
    lost: int
    doubled: int
    ledger: str
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        counts = f"{self.made} made, {self.delivered} delivered, {self.lost} lost, {self.doubled} doubled"
        return "\n  ".join([f"{counts}, ledger {self.ledger}", *self.wrong[:20]])


def judge(
    events: Sequence[ExchangeEvent],
    truth: Mapping[str, Any],
    *,
    since: int,
    exact: bool = True,
    books: Sequence[Book] | None = None,
) -> Verdict:
    """Judge events. Fills from `since` on (exchange ms) are due, those of the same second may come too.

    If the wire has each fill's quantity (`exact`), every fill must be the exchange's; else the coverage must be the
    same, every price the average of its interval, and every fee that of a fill of this interval. Without `books`
    money is not judged.
    """
    fills = [event for event in events if isinstance(event, Fill) and not event.redelivered]
    owed = [row for row in truth["fills"] if row["ts"] >= since]
    early = [row for row in truth["fills"] if since // 1000 * 1000 <= row["ts"] < since]
    wrong: list[str] = []
    if exact:
        made, delivered = Counter(map(_made, owed)), Counter(map(_piece, fills))
        delivered -= delivered & Counter(map(_made, early))
        lost, doubled = made - delivered, delivered - made
        wrong += [f"lost: {piece}" for piece in lost] + [f"doubled: {piece}" for piece in doubled]
        losses, excess = lost.total(), doubled.total()
    else:
        losses, excess = _uncovered(fills, owed, early, wrong)
    wrong += _same_ids(fills)
    wrong += _sums(events, [*early, *owed])
    wrong += _accounts([event for event in events if isinstance(event, AccountUpdate)], truth)
    ledger = "not judged"
    if books is not None:
        statuses = {book.status.value for book in books} or {"UNPROVEN"}
        ledger = "MATCHED" if statuses == {"MATCHED"} else max(statuses - {"MATCHED"})
        wrong += _books(books, truth, since)
    return Verdict(len(owed), len(fills), losses, excess, ledger, tuple(wrong))


def _made(row: Mapping[str, Any]) -> Piece:
    return Piece(row["order_id"], row["start"], row["end"], row["price"], row["fee"])


def _piece(fill: Fill) -> Piece:
    start, end = fill.cumulative_qty - fill.fill_qty, fill.cumulative_qty
    price, fee = (None if each is None else canonical(each) for each in (fill.fill_price, fill.fee))
    return Piece(fill.order_id, canonical(start), canonical(end), price, fee)


def _uncovered(fills: list[Fill], owed: list[Any], early: list[Any], wrong: list[str]) -> tuple[int, int]:
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in [*early, *owed]:
        rows[row["order_id"]].append(row)
    covered: Coverage = defaultdict(list)
    for fill in fills:
        start, end = fill.cumulative_qty - fill.fill_qty, fill.cumulative_qty
        covered[fill.order_id].append((start, end))
        parts = [row for row in rows[fill.order_id] if start < Decimal(row["end"]) <= end]
        if sum((Decimal(row["qty"]) for row in parts), ZERO) != end - start:
            wrong.append(f"no fills of the exchange make up {_piece(fill)}")
        elif fill.fill_price is not None:
            notional = sum((Decimal(row["qty"]) * Decimal(row["price"]) for row in parts), ZERO)
            if abs(fill.fill_price * fill.fill_qty - notional) > Decimal("1e-6"):
                wrong.append(f"price of {_piece(fill)}, which is worth {notional}")
        if len(parts) == 1 and fill.fee is not None and fill.fee != Decimal(parts[0]["fee"]):
            wrong.append(f"fee of {_piece(fill)}, which is {parts[0]['fee']}")
    losses = excess = 0
    for row in owed:
        if not any(low < Decimal(row["end"]) <= high for low, high in covered[row["order_id"]]):
            losses += 1
            wrong.append(f"lost: {_made(row)}")
    for order_id, intervals in covered.items():
        reach = ZERO
        for start, end in sorted(intervals):
            if start < reach:
                excess += 1
                wrong.append(f"twice: {order_id} ({start}, {end}]")
            reach = max(reach, end)
    return losses, excess


def _sums(events: Sequence[ExchangeEvent], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return texts about sums of a consumer that differ from the exchange's: quantities, and known fees and PnL."""
    final: dict[str, Fill | FillRevised] = {}
    for event in events:
        if isinstance(event, Fill):
            final.setdefault(event.event_id, event)
        elif isinstance(event, FillRevised) and event.replaces in final:
            final[event.replaces] = event
    made: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        made[row["order_id"]].append(row)
    true: dict[str, dict[str | None, Decimal]] = {name: defaultdict(Decimal) for name in _TOTALS}
    for fill in final.values():
        for row in made[fill.order_id]:
            if not fill.cumulative_qty - fill.fill_qty < Decimal(row["end"]) <= fill.cumulative_qty:
                continue
            true["sold" if row["side"] == "SELL" else "bought"][row["symbol"]] += Decimal(row["qty"])
            if fill.fee is not None:
                true["fees"][row["fee_asset"]] += Decimal(row["fee"])
            if fill.realized_pnl is not None:
                true["realized_pnl"][row["symbol"]] += Decimal(row["realized_pnl"])
    wrong, added = [], totals(events)
    for name in _TOTALS:
        said, sums = (
            {key: found for key, found in each.items() if found} for each in (getattr(added, name), true[name])
        )
        if said != sums:
            wrong.append(f"{name} add up to {said}, in truth to {sums}")
    return wrong


_TOTALS = ("bought", "sold", "fees", "realized_pnl")


def _same_ids(fills: list[Fill]) -> list[str]:
    ids = Counter(fill.event_id for fill in fills)
    return [f"id {name} came {count} times" for name, count in ids.items() if count > 1]


def _accounts(updates: list[AccountUpdate], truth: Mapping[str, Any]) -> list[str]:
    """Return texts about delivered balances and positions that the exchange never had."""
    wallets = {asset: {Decimal(amount)} for asset, amount in truth["opening"].items()}
    sums = {asset: Decimal(amount) for asset, amount in truth["opening"].items()}
    for row in truth["income"]:
        sums[row["asset"]] += Decimal(row["amount"])
        wallets[row["asset"]].add(sums[row["asset"]])
    held: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    seen: dict[tuple[str, str | None], set[Decimal]] = defaultdict(lambda: {ZERO})
    flat = True
    for row in truth["fills"]:
        place = row["symbol"], row["position_side"]
        gains = row["side"] == ("SELL" if row["position_side"] == "SHORT" else "BUY")
        held[place] += Decimal(row["qty"]) if gains else -Decimal(row["qty"])
        seen[place].add(held[place])
        flat = flat or not any(held.values())
    wrong = []
    for update in updates:
        for balance in update.balances:
            if balance.wallet_balance not in wallets[balance.asset]:
                wrong.append(f"{update.source} balance {balance.wallet_balance} was never had")
        if update.complete and {balance.asset for balance in update.balances} != set(wallets):
            wrong.append(f"a complete account with {update.balances}")
        for position in update.positions:
            if truth["mode"] == "hedge":
                known = position.qty in seen[position.symbol, position.side]
            else:
                signed = -position.qty if position.side == "SHORT" else position.qty
                known = signed in seen[position.symbol, None]
            if not known:
                wrong.append(f"{update.source} position {position} was never held")
        if update.complete and not update.positions and not flat and truth["fills"]:
            wrong.append("a complete account without positions, which was never so")
    return wrong


def _books(books: Iterable[Book], truth: Mapping[str, Any], since: int) -> list[str]:
    wrong = []
    for book in books:
        if book.status != "MATCHED":
            wrong.append(f"the books of {book.asset} are {book.status}, off by {book.drift}")
        if book.k_capital != Decimal(truth["wallet"][book.asset]):
            wrong.append(f"the books say {book.k_capital} {book.asset}, the wallet {truth['wallet'][book.asset]}")
        rows = [row for row in truth["income"] if row["asset"] == book.asset]
        for name, kind, sign in _SUMS:
            sums = [
                sum((Decimal(row["amount"]) * sign for row in rows if row["type"] == kind and row["ts"] >= edge), ZERO)
                for edge in (since, since // 1000 * 1000)
            ]
            if not min(sums) <= getattr(book, name) <= max(sums):
                wrong.append(f"{name} of {book.asset} is {getattr(book, name)} in the books, {sums[0]} in truth")
    return wrong


_SUMS = (
    ("fees", "TRADING_FEE", -1),
    ("realized_pnl", "REALIZED_PNL", 1),
    ("funding", "FUNDING_FEE", 1),
    ("transfers", "TRANSFER", 1),
)
