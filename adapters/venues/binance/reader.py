"""Reads the whole account between two readings of the lists of fills, which show what moved meanwhile.

Fills are listed by symbol only. The symbols to ask for are found by income, which has a row for each fill with a fee,
by the executed quantities of orders, and by positions that have changed. So a read of a quiet account asks for no
fills.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from ....core.events import Balance, Position
from ....core.grain import FUNDING_GRAIN, floor
from ....core.kinds import IncomeKind, Purpose
from ....core.reports import Account, FillReport, IncomeReport, OddRow, OrderRef, OrderReport
from ....ports.errors import RequestRefused
from ....ports.service import Service, both
from .codes import wants_symbol
from .lists import HISTORY, PAGE, Listing, Lists, parted
from .rest import Rest
from .rows import account_id, balances, listed, nets, order, positions
from .singles import Singles
from .weights import BALANCE, OPEN_ORDERS, POSITIONS, of_read
from .words import OPEN

ROUNDS = 3
LAG = 600_000
"""Orders and income are listed from this much earlier, ms: a list of orders may go by the time of creation, and a row
of income that appears late is dated back."""
MOST_ASKED = 100
"""The most orders that one read asks for by id because they are in no list."""
OF_FILLS = frozenset({IncomeKind.FEE, IncomeKind.PNL})


class _Held(NamedTuple):
    """Positions as they are listed; `one_way` is True if the account nets them."""

    rows: Listing[Position]
    one_way: bool
    shape: Literal["rows", "none"]


class Reader:
    """The `AccountReader` of Binance; `page` is the number of fills in a page."""

    def __init__(self, rest: Rest, *, page: int = PAGE) -> None:
        self._rest = rest
        self._lists = Lists(rest, fills_page=page)
        self._singles = Singles(rest, self._lists)
        self._by_symbol = False
        """True if the list of orders requires a symbol, as until 2026-08."""
        self._symbols: frozenset[str] = frozenset()
        """All symbols that any row has named so far."""
        self._assets: frozenset[str] = frozenset()
        self._held: dict[tuple[str, str | None], Decimal] = {}
        """The positions of the last whole read."""
        self._asked = 0
        """The number of symbols whose fills it asked for."""

    def read(
        self, since: int | None, orders: Sequence[OrderRef] = (), *, purpose: Purpose = Purpose.SYNC
    ) -> Service[Account]:
        """Read the whole account since `since`, exclusive; with None only these orders, each with all its fills.

        With neither it is the whole account as of now. An audit or a poll may be put off if weight is short.
        """
        if since is None and orders:
            return (yield from self._singles.read(orders))
        yield from self._rest.admit(of_read(self._asked), purpose)
        if since is None:
            since = yield from self._rest.ask_time()
        self._symbols |= {ref.symbol for ref in orders}
        denied: set[OrderRef] = set()
        for left in reversed(range(ROUNDS)):
            account = yield from self._round(since, orders, denied, last=left == 0)
            if account is not None:
                return account
        raise AssertionError("the last round always answers")

    def _round(
        self, since: int, asked: Sequence[OrderRef], denied: set[OrderRef], last: bool
    ) -> Service[Account | None]:
        """The account, or None if too much moved meanwhile. `denied` gets denied orders; those are not asked again."""
        until = yield from self._rest.horizon()
        begin = max(since, until - HISTORY)
        clock, earned, made = yield from both(
            self._rest.ask_time(), self._lists.income(begin - LAG, until), self._made(begin, until)
        )
        as_of = min(clock, until)
        early = self._executed(earned.rows, made.rows, begin)
        first = yield from self._fills(early, begin, until)
        # Open orders first: an order that finishes meanwhile is then in both lists, and not in none.
        running, held, (owned, owner) = yield from both(self._running(), self._positions(), self._balances())
        (orders, open_ids, odd), _ = yield from both(self._orders(running, begin, asked, denied), self._rest.ask_time())
        until = yield from self._rest.horizon()
        symbols = early | self._executed((), orders, begin) | self._moved(held.rows.rows)
        second, income = yield from both(self._fills(symbols, begin, until), self._lists.income(begin - LAG, until))
        if late_symbols := self._executed(income.rows, (), begin) - symbols:
            second = _joined(second, (yield from self._fills(late_symbols, begin, until)))
        # Rows older than the read would have been in the first list, had their symbol been asked for.
        shown = [row for row in second.rows if row.symbol not in early and row.exchange_ts < as_of]
        before, after = Counter(map(_facts, (*first.rows, *shown))), Counter(map(_facts, second.rows))
        new, gone = after - before, before - after
        if (gone or any(at < as_of for _, at, _ in new)) and not last:
            return None
        # Fills of orders that began after the orders were read are left to the next read: a read promises nothing newer
        # than `as_of`, and each of them would have to be read alone, since its order is missing.
        known = {OrderRef(report.symbol, report.order_id) for report in orders}
        older = {OrderRef(row.symbol, row.order_id) for row in second.rows if row.exchange_ts < as_of}
        orphans = {ref for ref, _, _ in new} - known - older
        exchange_ms = yield from self._rest.now()
        self._asked = len(symbols | late_symbols)
        self._held = {(row.symbol, row.side): row.qty for row in held.rows.rows}
        return Account(
            as_of=as_of,
            exchange_ms=exchange_ms,
            since=begin,
            whole=True,
            settled=not (new or gone) and _since(earned, begin) == _since(income, begin),
            moving=frozenset(ref.order_id for ref, _, _ in (*new, *gone)),
            balances=owned,
            one_way=held.one_way,
            positions=held.rows.rows,
            positions_listed=held.shape,
            orders=orders,
            open_orders=open_ids,
            denied=frozenset(denied),
            fills=tuple(row for row in second.rows if OrderRef(row.symbol, row.order_id) not in orphans),
            income=income.rows,
            odd=tuple(dict.fromkeys((*second.odd, *odd, *held.rows.odd, *income.odd))),
            income_refused=income.refusal,
            account_id=owner,
        )

    def _executed(self, income: Iterable[IncomeReport], orders: Iterable[OrderReport], since: int) -> frozenset[str]:
        """The symbols with executions since `since`, by income and by orders."""
        paid = {row.symbol for row in income if row.kind in OF_FILLS and row.exchange_ts >= since}
        done = {row.symbol for row in orders if row.cumulative_qty and (row.exchange_ts or since) >= since}
        found = frozenset(symbol for symbol in paid | done if symbol is not None)
        self._symbols |= found
        return found

    def _moved(self, held: Iterable[Position]) -> frozenset[str]:
        """The symbols of positions that have changed since the last read."""
        now, before = {(row.symbol, row.side): row.qty for row in held}, self._held
        found = frozenset(place[0] for place in now.keys() | before.keys() if now.get(place) != before.get(place))
        self._symbols |= found
        return found

    def _fills(self, symbols: Collection[str], since: int, until: int) -> Service[Listing[FillReport]]:
        return _joined(*(yield from both(*(self._lists.fills(symbol, since, until) for symbol in sorted(symbols)))))

    def _made(self, since: int, until: int) -> Service[Listing[OrderReport]]:
        """The orders of the window; if the list requires a symbol, those of all known symbols."""
        if not self._by_symbol:
            try:
                return (yield from self._lists.orders(since - LAG, until))
            except RequestRefused as error:
                if not wants_symbol(error.refusal):
                    raise
                self._by_symbol = True
        lists = yield from both(*(self._lists.orders(since - LAG, until, symbol) for symbol in sorted(self._symbols)))
        return Listing(
            tuple(row for each in lists for row in each.rows), tuple(row for each in lists for row in each.odd)
        )

    def _running(self) -> Service[Listing[OrderReport]]:
        found = parted(list(map(order, listed((yield from self._rest.get(OPEN_ORDERS, {}))))))
        self._symbols |= {row.symbol for row in found.rows}
        return found

    def _orders(
        self, running: Listing[OrderReport], since: int, asked: Sequence[OrderRef], denied: set[OrderRef]
    ) -> Service[tuple[tuple[OrderReport, ...], frozenset[str], list[OddRow]]]:
        """The orders of the lists and those asked for by id, the ids of open ones, and odd rows."""
        history = yield from self._made(since, (yield from self._rest.horizon()))
        wanted = set(asked)
        found = {OrderRef(row.symbol, row.order_id): row for row in running.rows}
        found |= {
            ref: row for row in history.rows if _concerns(row, ref := OrderRef(row.symbol, row.order_id), wanted, since)
        }
        odd = [*running.odd, *history.odd]
        seen = {*found, *(OrderRef(row.symbol, row.order_id) for row in odd if row.symbol and row.order_id)}
        unlisted = [ref for ref in dict.fromkeys(asked) if ref not in seen and ref not in denied]
        answers = yield from self._singles.each(unlisted[:MOST_ASKED])
        denied |= {ref for ref, answer in answers.items() if answer is None}
        found |= {ref: answer for ref, answer in answers.items() if isinstance(answer, OrderReport)}
        odd += [answer for answer in answers.values() if isinstance(answer, OddRow)]
        open_ids = frozenset(row.order_id for row in found.values() if row.status in OPEN)
        return tuple(found.values()), open_ids, odd

    def _positions(self) -> Service[_Held]:
        data = yield from self._rest.get(POSITIONS, {})
        return _Held(parted(list(positions(data))), nets(data), "rows" if data else "none")

    def _balances(self) -> Service[tuple[tuple[Balance, ...], str | None]]:
        """The balances, and the id of their account."""
        data = yield from self._rest.get(BALANCE, {})
        found = balances(data, self._assets)
        self._assets |= {balance.asset for balance in found}
        return tuple(found), account_id(data)


def _joined(*lists: Listing[FillReport]) -> Listing[FillReport]:
    """Join lists of fills, each of another symbol."""
    rows = sorted((row for each in lists for row in each.rows), key=lambda row: row.exchange_ts)
    return Listing(tuple(rows), tuple(row for each in lists for row in each.odd))


def _facts(row: FillReport) -> tuple[OrderRef, int, tuple[object, ...]]:
    """The facts that identify a fill's row: its order, its time, and the rest."""
    return OrderRef(row.symbol, row.order_id), row.exchange_ts, (row.trade_id, row.qty, row.price)


def _concerns(row: OrderReport, ref: OrderRef, wanted: Collection[OrderRef], since: int) -> bool:
    """True if an order is open, was asked for, or has changed since `since`."""
    return row.status in OPEN or ref in wanted or row.exchange_ts is None or row.exchange_ts > since


def _since(listing: Listing[IncomeReport], since: int) -> list[IncomeReport]:
    """The rows since then, of funding those since the second in which that was."""
    begins = {IncomeKind.FUNDING: floor(since, FUNDING_GRAIN)}
    return [row for row in listing.rows if row.exchange_ts >= begins.get(row.kind, since)]
