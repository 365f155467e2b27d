"""Reads the whole account between two readings of the list of fills, which show what moved meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import Literal

from ....core.events import Balance, Position
from ....core.kinds import Purpose
from ....core.reports import Account, FillReport, IncomeReport, OddRow, OrderRef, OrderReport
from ....ports.errors import RequestRefused
from ....ports.questions import QuestionStore
from ....ports.service import Service, both, clock
from .codes import wants_symbol
from .costs import costed
from .listing import SECOND, Listing, facts, joined, parted
from .lists import FILL_HISTORY, Lists
from .order_reader import OPEN, RESERVED, OrderReader, Silence
from .pace import TIME_PATH
from .rest import Rest
from .rows import account_id, balances, listed, nets, order, positions, shape

BALANCE = "/openApi/swap/v3/user/balance"
POSITIONS = "/openApi/swap/v2/user/positions"
OPEN_ORDERS = "/openApi/swap/v2/trade/openOrders"
ROUNDS = 3
ORDER_AGE = 600_000
"""The list of orders is asked for from this much earlier, ms, which is cheap, since it may go by the time of creation;
only older orders have to be read alone."""
INCOME_LAG = 600_000
"""Income is read from this much earlier, ms: a row that appears late is dated back, and rows are known by ids."""


class Reader:
    """The `AccountReader` of BingX. With `by_symbol` it asks for fills by symbol, for a venue that requires one.

    `store` keeps the questions across processes.
    """

    def __init__(self, rest: Rest, *, by_symbol: bool = False, store: QuestionStore | None = None) -> None:
        self._rest = rest
        self._lists = Lists(rest)
        self._order_reader = OrderReader(rest, self._lists, store)
        self._by_symbol = by_symbol
        self._symbols: frozenset[str] = frozenset()
        self._assets: frozenset[str] = frozenset()
        self._earning_since: int | None = None
        """Exchange time, ms, since when income was not listed; it is read from there once it is listed again."""

    def read(
        self, since: int | None, orders: Sequence[OrderRef] = (), *, purpose: Purpose = Purpose.SYNC
    ) -> Service[Account]:
        """Read the whole account since `since`, exclusive; with None only these orders, each with all its fills.

        With neither it is the whole account as of now, as an empty result would look like an empty account.
        """
        if since is None and orders:
            return (yield from self._order_reader.read(orders))
        yield from self._rest.require(TIME_PATH, BALANCE, POSITIONS, OPEN_ORDERS, *self._lists.needed)
        if since is None:
            since = yield from self._rest.ask_time()
        self._symbols |= {ref.symbol for ref in orders}
        denied: set[OrderRef] = set()
        for left in reversed(range(ROUNDS)):
            try:
                account = yield from self._round(since, orders, denied, last=left == 0)
            except RequestRefused as error:
                if self._by_symbol or left == 0 or not wants_symbol(error.refusal):
                    raise
                self._by_symbol = True
            else:
                if account is not None:
                    return account
        raise AssertionError("the last round always answers")

    def _round(
        self, since: int, asked: Sequence[OrderRef], denied: set[OrderRef], last: bool
    ) -> Service[Account | None]:
        """The account, or None if too much moved meanwhile. `denied` gets denied orders; those are not asked again."""
        asked_before = self._symbols
        as_of, begin, first, income_before = yield from self._before(since)
        earning_since = since - INCOME_LAG if self._earning_since is None else min(since, self._earning_since)
        filled = frozenset(OrderRef(row.symbol, row.order_id) for row in first.rows)
        # Open orders first: an order that finishes meanwhile is then in both lists, and not in none.
        running, (one_way, held, how), (owned, owner) = yield from both(
            self._running(), self._positions(), self._balances()
        )
        # The clock is asked again: if ours stood still meanwhile, the second list of fills would end too early.
        (orders, open_ids, odd), _ = yield from both(
            self._orders(running, begin, filled, asked, denied), self._rest.ask_time()
        )
        until = yield from self._rest.horizon()
        symbols = self._named(orders.values(), held.rows)
        fills = self._fills(begin, until, symbols)
        if income_before.refusal is None:
            second, income = yield from both(fills, self._lists.income(earning_since, until))
        else:
            second, income = (yield from fills), income_before
        new_symbols = self._named(second.rows, income.rows) - symbols - {row.symbol for row in second.rows}
        if new_symbols and (self._by_symbol or second.by_symbol):
            second = joined(second, (yield from self._each(begin, until, new_symbols)))
        # Rows older than the read would have been in the first list, had their symbol been asked for.
        unasked = [row for row in second.rows if self._by_symbol and row.symbol not in asked_before]
        shown = (row for row in unasked if row.exchange_ts // SECOND < as_of // SECOND)
        before, after = Counter(map(facts, (*first.rows, *shown))), Counter(map(facts, second.rows))
        new, gone = after - before, before - after
        late = any(at // SECOND < as_of // SECOND for _, at, _ in new)
        if (gone or late) and not last:
            return None
        # Fills of orders that began after the orders were read are left to the next read: a read promises nothing newer
        # than `as_of`, and each of them would have to be read alone, since its order is missing.
        older = {row.order_id for row in second.rows if row.exchange_ts // SECOND < as_of // SECOND}
        orphans = {order_id for order_id, _, _ in new} - orders.keys() - older
        # Lists begin earlier than asked for, and not all equally early.
        earned = [[row for row in each.rows if row.exchange_ts >= begin] for each in (income_before, income)]
        exchange_ms = yield from self._rest.now()
        self._earning_since = None if income.refusal is None else earning_since
        return Account(
            as_of=as_of,
            exchange_ms=exchange_ms,
            since=begin,
            whole=True,
            settled=not (new or gone) and earned[0] == earned[1],
            moving=frozenset(order_id for order_id, _, _ in (*new, *gone)),
            balances=owned,
            one_way=one_way,
            positions=held.rows,
            positions_listed=how,
            orders=tuple(orders.values()),
            open_orders=open_ids,
            denied=frozenset(denied),
            fills=costed((row for row in second.rows if row.order_id not in orphans), income.rows),
            income=income.rows,
            odd=tuple(dict.fromkeys((*second.odd, *odd, *held.odd, *income.odd))),
            income_refused=income.refusal,
            account_id=owner,
        )

    def _before(self, since: int) -> Service[tuple[int, int, Listing[FillReport], Listing[IncomeReport]]]:
        """Read first of all the venue's clock and the lists of fills and income; return also where fills begin.

        If the clock is known already, it is asked at the same time; if ours has stood still since, both lists would end
        too early, and are read again.
        """
        while True:
            known = self._rest.exchange_ms((yield from clock()))
            if known is None or since < known - FILL_HISTORY:  # a window must not begin too early
                as_of = yield from self._rest.ask_time()
                begin, until = max(since, as_of - FILL_HISTORY), (yield from self._rest.horizon())
                return as_of, begin, *(yield from both(self._fills(begin, until), self._lists.income(begin, until)))
            until = yield from self._rest.horizon()
            as_of, first, earned = yield from both(
                self._rest.ask_time(), self._fills(since, until), self._lists.income(since, until)
            )
            if as_of - until < SECOND:
                return min(as_of, until), since, first, earned

    def _named(self, *lists: Iterable[OrderReport | Position | FillReport | IncomeReport]) -> frozenset[str]:
        """All symbols that any row has named so far, these rows included."""
        self._symbols |= {row.symbol for rows in lists for row in rows if row.symbol is not None}
        return self._symbols

    def _fills(self, since: int, until: int, symbols: frozenset[str] | None = None) -> Service[Listing[FillReport]]:
        """The fills of all symbols; if the venue requires a symbol, those of `symbols`, or else of all known ones."""
        symbols = self._symbols if symbols is None else symbols
        if self._by_symbol:
            return (yield from self._each(since, until, symbols))
        return (yield from self._lists.fills(since, until, symbols))

    def _each(self, since: int, until: int, symbols: frozenset[str]) -> Service[Listing[FillReport]]:
        """The fills of these symbols, asked for one by one."""
        lists = yield from both(*(self._lists.fills(since, until, symbol=symbol) for symbol in sorted(symbols)))
        return joined(*lists)

    def _running(self) -> Service[Listing[OrderReport]]:
        data = yield from self._rest.call("GET", OPEN_ORDERS, {})
        return parted(map(order, listed(data, "orders")))

    def _orders(
        self,
        running: Listing[OrderReport],
        since: int,
        filled: frozenset[OrderRef],
        asked: Sequence[OrderRef],
        denied: set[OrderRef],
    ) -> Service[tuple[dict[str, OrderReport], frozenset[str], list[OddRow]]]:
        """The orders of the lists and those asked for by id, the ids of open ones, and odd rows.

        An order with a fill is not asked for here: it is known, or will be read alone with all its fills, and some
        queries are left for that.
        """
        history = yield from self._lists.orders(since - ORDER_AGE, (yield from self._rest.horizon()))
        names = {ref.order_id for ref in (*filled, *asked)}
        finished = {report.order_id: report for report in history.rows if _concerns(report, names, since)}
        found = {report.order_id: report for report in running.rows} | finished
        odd = [*running.odd, *(row for row in history.odd if row.order is None or _concerns(row.order, names, since))]
        seen = {*found, *(row.order_id for row in odd if row.order_id is not None)}
        listed_open = {report.order_id for report in running.rows} - finished.keys()
        self._order_reader.show(seen)
        unlisted = [ref for ref in dict.fromkeys(asked) if ref.order_id not in seen and ref not in filled | denied]
        reserved = min(RESERVED, sum(ref.order_id not in seen for ref in filled))
        answers = yield from self._order_reader.each(unlisted, self._order_reader.order, reserved=reserved)
        denied |= {ref for ref, answer in answers.items() if answer is Silence.DENIED}
        alone = parted(answer for answer in answers.values() if not isinstance(answer, Silence))
        found |= {report.order_id: report for report in alone.rows}
        open_ids = frozenset(name for name, report in found.items() if name in listed_open or report.status in OPEN)
        return found, open_ids, [*odd, *alone.odd]

    def _positions(self) -> Service[tuple[bool, Listing[Position], Literal["rows", "none", "hollow"]]]:
        """Return True if positions are netted, the positions, and the kind of list in the answer."""
        data = yield from self._rest.call("GET", POSITIONS, {})
        return nets(data), parted(positions(data)), shape(data, "positions")

    def _balances(self) -> Service[tuple[tuple[Balance, ...], str | None]]:
        """The balances, and the id of their account."""
        data = yield from self._rest.call("GET", BALANCE, {})
        found = balances(data, self._assets)
        self._assets |= {balance.asset for balance in found}
        return tuple(found), account_id(data)


def _concerns(report: OrderReport, names: Container[str], since: int) -> bool:
    """True if a finished order has one of these ids, or finished after `since`."""
    return report.order_id in names or report.exchange_ts is None or report.exchange_ts > since
