"""Reads the account whole, between two readings of the fill list, so that it is known what moved meanwhile."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Literal, NamedTuple

from ....core.events import Balance, Position
from ....core.refusal import Refusal, RefusalKind
from ....core.reports import Account, FillReport, IncomeReport, OddRow, OrderRef, OrderReport
from ....ports.errors import RequestRefused
from ....ports.questions import QuestionStore
from .codes import wants_symbol
from .costs import costed
from .listing import Listing, parted
from .lists import FILL_HISTORY, SECOND, Lists, beyond, same
from .rest import Rest
from .rows import account_id, balances, is_hollow, listed, nets, order, positions
from .singles import OPEN, RESERVED, Silence, Singles
from .together import together

BALANCE = "/openApi/swap/v3/user/balance"
POSITIONS = "/openApi/swap/v2/user/positions"
OPEN_ORDERS = "/openApi/swap/v2/trade/openOrders"
ROUNDS = 3
ORDER_AGE = 600_000
"""The list of orders may go by the time at which an order was made. Asking for it from so much earlier, ms, is cheap;
only an order that is older has to be read alone."""
INCOME_LAG = 600_000
"""Income is read from so much earlier, ms: a row that appears late is dated back, and rows have ids to know them by."""


class _Middle(NamedTuple):
    """What is read between the two fill lists."""

    orders: dict[str, OrderReport]
    open_ids: frozenset[str]
    denied: frozenset[OrderRef]
    one_way: bool
    positions: tuple[Position, ...]
    positions_listed: Literal["rows", "none", "hollow"]
    balances: tuple[Balance, ...]
    account_id: str | None
    odd: tuple[OddRow, ...]


class Reader:
    """An `AccountReader`. `by_symbol` asks for fills one symbol at a time, for a venue that insists on it.

    `store` remembers across processes how many orders were asked for that the venue may not know.
    """

    def __init__(self, rest: Rest, *, by_symbol: bool = False, store: QuestionStore | None = None) -> None:
        self._rest = rest
        self._lists = Lists(rest)
        self._singles = Singles(rest, self._lists, store)
        self._by_symbol = by_symbol
        self._symbols: frozenset[str] = frozenset()
        self._assets: frozenset[str] = frozenset()
        self._earning_since: int | None = None
        """From when on income was not listed, exchange time, ms: it is read once it is listed again."""

    async def read(self, since: int | None, orders: Sequence[OrderRef] = ()) -> Account:
        """The account whole since then, exclusive; with None only these orders, each with all its fills.

        With neither it is the whole account as of now: nobody asks for nothing, and nothing would look like no money.
        """
        if since is None and orders:
            return await self._singles.read(orders)
        if since is None:
            since = await self._rest.ask_time()
        self._symbols |= {ref.symbol for ref in orders}
        denied: frozenset[OrderRef] = frozenset()
        for left in reversed(range(ROUNDS)):
            try:
                account, denied = await self._round(since, orders, denied, last=left == 0)
            except RequestRefused as error:
                if self._by_symbol or left == 0 or not wants_symbol(error.refusal):
                    raise
                self._by_symbol = True
                continue
            if account is not None:
                return account
        raise AssertionError("the last round always answers")

    async def _round(
        self, since: int, orders: Sequence[OrderRef], denied: frozenset[OrderRef], *, last: bool
    ) -> tuple[Account | None, frozenset[OrderRef]]:
        """The account, or None if too much moved meanwhile; and what was denied, which is not asked for again."""
        as_of = await self._rest.ask_time()
        start = await self._rest.horizon()
        begin = max(since, as_of - FILL_HISTORY)
        earning_since = since - INCOME_LAG if self._earning_since is None else min(since, self._earning_since)
        asked = self._symbols
        first, income_before = await together(
            lambda: self._fills(begin, start, asked), lambda: self._lists.earned(begin, start)
        )
        middle = await self._middle(begin, first.rows, orders, denied)
        await self._rest.ask_time()  # a clock that stood still meanwhile must not cut the second list short
        until = await self._rest.horizon()
        if income_before.refusal is None:
            second, income = await together(
                lambda: self._fills(begin, until, asked), lambda: self._lists.earned(earning_since, until)
            )
        else:
            second, income = await self._fills(begin, until, asked), income_before
        self._symbols |= _symbols(middle, second.rows, income.rows)
        if self._by_symbol and self._symbols != asked:
            if last:
                raise RequestRefused(
                    Refusal(RefusalKind.RETRY, None, "new symbols kept appearing while fills were read")
                )
            return None, middle.denied
        new, gone = beyond(first.rows, second.rows), beyond(second.rows, first.rows)
        late = any(report.exchange_ts // SECOND < as_of // SECOND for report in new)
        if (gone or late) and not last:
            return None, middle.denied
        account = Account(
            as_of=as_of,
            exchange_ms=await self._rest.now(),
            since=begin,
            whole=True,
            settled=same(first.rows, second.rows) and _from(begin, income.rows) == _from(begin, income_before.rows),
            moving=frozenset(report.order_id for report in (*new, *gone)),
            balances=middle.balances,
            one_way=middle.one_way,
            positions=middle.positions,
            positions_listed=middle.positions_listed,
            orders=tuple(middle.orders.values()),
            open_orders=middle.open_ids,
            denied=middle.denied,
            fills=costed(_followed(second.rows, new, middle.orders, as_of), income.rows),
            income=income.rows,
            odd=tuple(dict.fromkeys((*second.odd, *middle.odd, *income.odd))),
            income_refused=income.refusal,
            account_id=middle.account_id,
        )
        self._earning_since = None if income.refusal is None else earning_since
        return account, middle.denied

    async def _fills(self, since: int, until: int, symbols: frozenset[str]) -> Listing[FillReport]:
        if not self._by_symbol:
            return await self._lists.fills(since, until)
        lists = await together(*(partial(self._lists.fills, since, until, symbol=symbol) for symbol in sorted(symbols)))
        rows = sorted((row for listing in lists for row in listing.rows), key=lambda report: report.exchange_ts)
        return Listing(tuple(rows), tuple(row for listing in lists for row in listing.odd))

    async def _middle(
        self, since: int, fills: Iterable[FillReport], asked: Sequence[OrderRef], denied: frozenset[OrderRef]
    ) -> _Middle:
        filled = frozenset(OrderRef(row.symbol, row.order_id) for row in fills)
        (found, open_ids, denied, odd), (one_way, held, how), (owned, owner) = await together(
            lambda: self._orders(since, filled, asked, denied), self._positions, self._balances
        )
        return _Middle(found, open_ids, denied, one_way, held.rows, how, owned, owner, (*odd, *held.odd))

    async def _orders(
        self, since: int, filled: frozenset[OrderRef], asked: Sequence[OrderRef], denied: frozenset[OrderRef]
    ) -> tuple[dict[str, OrderReport], frozenset[str], frozenset[OrderRef], tuple[OddRow, ...]]:
        """What the lists show, and of what they do not show, what the venue says when it is asked for.

        Of an order with a fill it is not asked here: it is wanted alone, with all its fills, or it is known. Room is
        left for it. What may not be asked for now is left out.
        """
        # Open orders first: one that finishes meanwhile is then in both lists, never in neither.
        data = await self._rest.call("GET", OPEN_ORDERS, {})
        running, odd = parted(map(order, listed(data, "orders")))
        found = {report.order_id: report for report in running}
        history = await self._lists.orders(since - ORDER_AGE, await self._rest.horizon())
        names = {ref.order_id for ref in (*filled, *asked)}
        odd = (*odd, *(row for row in history.odd if row.order is None or _concerns(row.order, names, since)))
        finished = {report.order_id: report for report in history.rows if _concerns(report, names, since)}
        listed_open = frozenset(found) - frozenset(finished)
        found |= finished
        seen = {*found, *(row.order_id for row in odd)}
        unlisted = [ref for ref in dict.fromkeys(asked) if ref.order_id not in seen and ref not in filled | denied]
        self._singles.show(name for name in seen if name is not None)
        denied |= await self._singles.denied(unlisted)
        unlisted = [ref for ref in unlisted if ref not in denied]
        reserved = min(RESERVED, sum(ref.order_id not in seen for ref in filled))
        while unlisted and (room := await self._singles.room() - reserved) > 0:
            now, unlisted = unlisted[:room], unlisted[room:]
            answers = await together(*(partial(self._singles.order, ref) for ref in now))
            denied |= {ref for ref, answer in zip(now, answers, strict=True) if answer is Silence.DENIED}
            alone = parted(answer for answer in answers if not isinstance(answer, Silence))
            found |= {report.order_id: report for report in alone.rows}
            odd = (*odd, *alone.odd)
        open_ids = frozenset(name for name, report in found.items() if name in listed_open or report.status in OPEN)
        return found, open_ids, denied, odd

    async def _positions(self) -> tuple[bool, Listing[Position], Literal["rows", "none", "hollow"]]:
        data = await self._rest.call("GET", POSITIONS, {})
        held = parted(positions(data))
        if is_hollow(data, "positions"):
            return False, held, "hollow"
        return nets(data), held, "rows" if listed(data, "positions") else "none"

    async def _balances(self) -> tuple[tuple[Balance, ...], str | None]:
        """The balances, and whose they are."""
        data = await self._rest.call("GET", BALANCE, {})
        found = balances(data, self._assets)
        self._assets |= {balance.asset for balance in found}
        return tuple(found), account_id(data)


def _followed(
    fills: Iterable[FillReport], new: Iterable[FillReport], orders: Container[str], as_of: int
) -> tuple[FillReport, ...]:
    """The fills without those of orders that began after the orders were read: they are the next read's.

    Nobody is promised what is newer than `as_of`, and each would have to be read alone for want of its order.
    """
    unknown = {report.order_id for report in new if report.order_id not in orders}
    older = {report.order_id for report in fills if report.exchange_ts // SECOND < as_of // SECOND}
    return tuple(report for report in fills if report.order_id not in unknown - older)


def _concerns(report: OrderReport, names: Container[str], since: int) -> bool:
    """Whether a finished order has one of these ids, or finished since."""
    return report.order_id in names or report.exchange_ts is None or report.exchange_ts > since


def _from(begin: int, income: Iterable[IncomeReport]) -> tuple[IncomeReport, ...]:
    """What is not older: lists open earlier than they are asked to, and not all equally early."""
    return tuple(row for row in income if row.exchange_ts >= begin)


def _symbols(middle: _Middle, fills: Iterable[FillReport], income: Iterable[IncomeReport]) -> frozenset[str]:
    named = [report.symbol for report in middle.orders.values()]
    named += [report.symbol for report in middle.positions]
    named += [report.symbol for report in fills]
    return frozenset(named) | {report.symbol for report in income if report.symbol is not None}
