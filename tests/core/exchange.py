"""A toy exchange with booking of its own: orders that fill in parts, one wallet, netted positions, income."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

import msgspec

from listenkey.core.events import Balance, Position
from listenkey.core.kinds import IncomeKind
from listenkey.core.reports import Account, AccountReport, FillReport, IncomeReport, OrderRef, OrderReport

D = Decimal
ZERO = D(0)
INCOME = {"TRADING_FEE": IncomeKind.FEE, "REALIZED_PNL": IncomeKind.PNL, "FUNDING_FEE": IncomeKind.FUNDING}
"""This exchange's words for kinds of income."""
GRAIN = D("1e-8")
OPEN = ("NEW", "PARTIALLY_FILLED")
Push = OrderReport | AccountReport


class Trade(NamedTuple):
    """One fill as the exchange made it: the interval (start, end] of an order."""

    order_id: str
    symbol: str
    start: Decimal
    end: Decimal
    price: Decimal
    fee: Decimal
    pnl: Decimal
    ts: int
    trade_id: str


@dataclass
class _Order:
    report: OrderReport
    notional: Decimal = ZERO
    versions: list[tuple[int, OrderReport]] = field(default_factory=list)

    def at(self, ts: int) -> OrderReport | None:
        """The order as it was at that time; None before it was placed."""
        seen = [report for changed, report in self.versions if changed <= ts]
        return seen[-1] if seen else None


class Exchange:
    """`now` returns its clock in ms; `listeners` get each change, with all figures that a wire could have."""

    def __init__(self, now: Callable[[], int], *, wallet: str = "1000") -> None:
        self._now = now
        self._number = 0
        self._orders: dict[str, _Order] = {}
        self.listeners: list[Callable[[Push], None]] = []
        self.trades: list[Trade] = []
        self.income: list[IncomeReport] = []
        self.wallets: list[tuple[int, Decimal]] = [(0, D(wallet))]
        self.positions: list[tuple[int, dict[str, Decimal]]] = [(0, {})]
        self.pushes_account = True
        self.forgotten: dict[str, int] = {}
        """Orders that the venue denies, with the time since when."""
        self.questions = 1000
        """Number of single orders that a read asks for, of those that are in no list."""

    # What traders do

    def place(self, qty: str, *, symbol: str = "BTC-USDT", side: str = "BUY", price: str | None = "100") -> str:
        """Place an order; a market order gets no acknowledgement."""
        order_id = str(1000 + self._next())
        report = OrderReport(
            symbol=symbol,
            order_id=order_id,
            status="NEW",
            cumulative_qty=ZERO,
            side=side,
            order_type="MARKET" if price is None else "LIMIT",
            price=None if price is None else D(price),
            qty=D(qty),
            created_ts=self._now(),
        )
        self._orders[order_id] = _Order(report)
        self._change(order_id, report, silent=price is None)
        return order_id

    def fill(self, order_id: str, qty: str | Decimal, price: str | Decimal = "100") -> Trade:
        """Execute a part of the order."""
        order, report = self._orders[order_id], self._orders[order_id].report
        assert report.status in OPEN
        assert report.qty is not None
        start, end = report.cumulative_qty, report.cumulative_qty + D(qty)
        assert end <= report.qty
        pnl = D(qty) / 2 if report.side == "SELL" else ZERO
        fee = D(qty) * D(price) / 2000
        trade = Trade(order_id, report.symbol, start, end, D(price), fee, pnl, self._now(), str(self._next()))
        self.trades.append(trade)
        order.notional += D(qty) * D(price)
        for kind, amount in (("TRADING_FEE", -fee), ("REALIZED_PNL", pnl)):
            if amount:
                self._earn(kind, amount, report.symbol, trade.trade_id)
        held = dict(self.positions[-1][1])
        held[report.symbol] = held.get(report.symbol, ZERO) + (D(qty) if report.side == "BUY" else -D(qty))
        self.positions.append((self._now(), held))
        filled = msgspec.structs.replace(
            report,
            status="FILLED" if end == report.qty else "PARTIALLY_FILLED",
            cumulative_qty=end,
            average_price=(order.notional / end).quantize(GRAIN),
        )
        self._change(
            order_id,
            filled,
            last_qty=D(qty),
            last_price=D(price),
            trade_id=trade.trade_id,
            fee=fee,
            fee_asset="USDT",
            realized_pnl=pnl,
        )
        self._push_account("ORDER", report.symbol)
        return trade

    def cancel(self, order_id: str) -> None:
        self._change(order_id, msgspec.structs.replace(self._orders[order_id].report, status="CANCELED"))

    def trigger(self, order_id: str, *, silent: bool = False) -> str:
        """Let another order execute in place of this one, which ends with nothing executed; return its id."""
        report = self._orders[order_id].report
        self._change(order_id, msgspec.structs.replace(report, status="FILLED"), silent=silent)
        assert report.qty is not None
        executing = self.place(str(report.qty), symbol=report.symbol, side=report.side or "BUY", price=None)
        self.fill(executing, report.qty)
        return executing

    def forget(self, *order_ids: str) -> None:
        """Deny these orders from now on."""
        self.forgotten.update(dict.fromkeys(order_ids, self._now()))

    def amend(self, order_id: str, *, qty: str, silent: bool = False) -> None:
        """Change the quantity; the order is over if just that was executed."""
        report = self._orders[order_id].report
        assert D(qty) >= report.cumulative_qty
        status = "FILLED" if D(qty) == report.cumulative_qty else report.status
        self._change(order_id, msgspec.structs.replace(report, status=status, qty=D(qty)), silent=silent)

    def transfer(self, amount: str) -> None:
        self._earn("TRANSFER", D(amount), None, None)
        self._push_account("DEPOSIT")

    def fund(self, amount: str) -> None:
        self._earn("FUNDING_FEE", D(amount), "BTC-USDT", None)
        self._push_account("FUNDING_FEE", funding=D(amount))

    def is_open(self, order_id: str) -> bool:
        return self._orders[order_id].report.status in OPEN

    def left(self, order_id: str) -> Decimal:
        report = self._orders[order_id].report
        assert report.qty is not None
        return report.qty - report.cumulative_qty

    def report(self, order_id: str) -> OrderReport:
        return self._orders[order_id].report

    # What REST says

    def whole(
        self,
        times: tuple[int, int, int],
        since: int,
        orders: Iterable[OrderRef],
        *,
        lag: int = 0,
        order_lag: int = 0,
        history: int | None = None,
    ) -> Account:
        """Return a whole read: fills at the first time, everything else at the second, fills again at the third."""
        begin, middle, end = times
        start = since if history is None else max(since, begin - history)
        first, second = self._rows(start, begin - lag), self._rows(start, end - lag)
        seen_at = middle - order_lag
        wanted = {ref.order_id for ref in orders} | {row.order_id for row in first}
        shown: dict[str, OrderReport] = {}
        denied = [ref for ref in orders if self._is_forgotten(ref.order_id, seen_at)][: self.questions]
        for order_id, order in self._orders.items():
            report = order.at(seen_at)
            if report is None or self._is_forgotten(order_id, seen_at):
                continue
            finished = report.status not in OPEN and (report.exchange_ts or 0) > start - 1000
            if report.status in OPEN or finished or order_id in wanted:
                shown[order_id] = report
        known = {row.trade_id for row in first}
        return Account(
            as_of=begin,
            exchange_ms=end,
            since=start,
            whole=True,
            settled=first == second,
            moving=frozenset(row.order_id for row in second if row.trade_id not in known),
            one_way=True,
            balances=self._balances(middle),
            positions=self._held(middle),
            orders=tuple(shown.values()),
            open_orders=frozenset(order_id for order_id, report in shown.items() if report.status in OPEN),
            denied=frozenset(denied),
            fills=second,
            income=tuple(row for row in self.income if start - 1000 < row.exchange_ts <= end - lag),
        )

    def alone(
        self,
        times: tuple[int, int, int],
        orders: Iterable[OrderRef],
        *,
        lag: int = 0,
        order_lag: int = 0,
        history: int | None = None,
    ) -> Account:
        """Return a read of single orders, with all their fills of the last `history` ms."""
        begin, _, end = times
        denied = frozenset(ref for ref in orders if self._is_forgotten(ref.order_id, begin))
        ids = {ref.order_id for ref in orders if ref not in denied}
        pairs = {i: (self._orders[i].at(begin - order_lag), self._orders[i].at(end - order_lag)) for i in sorted(ids)}
        pairs = {i: (before, after) for i, (before, after) in pairs.items() if before is not None}
        listed = {*pairs, *(ref.order_id for ref in denied)}
        start = -1 if history is None else end - history
        created = [after.created_ts or 0 for _, after in pairs.values() if after is not None]
        reports = [after for _, after in pairs.values() if after is not None]
        moving = frozenset(i for i, (before, after) in pairs.items() if before != after)
        return Account(
            as_of=begin,
            exchange_ms=end,
            since=start if any(ts < start for ts in created) else None,
            whole=False,
            settled=not moving,
            moving=moving,
            orders=tuple(reports),
            open_orders=frozenset(report.order_id for report in reports if report.status in OPEN),
            denied=denied,
            fills=tuple(row for row in self._rows(start, end - lag) if row.order_id in listed),
        )

    def _is_forgotten(self, order_id: str, ts: int) -> bool:
        return self.forgotten.get(order_id, ts + 1) <= ts

    def _rows(self, since: int, until: int) -> tuple[FillReport, ...]:
        return tuple(
            FillReport(
                symbol=trade.symbol,
                order_id=trade.order_id,
                qty=trade.end - trade.start,
                exchange_ts=trade.ts // 1000 * 1000,
                price=trade.price,
                trade_id=trade.trade_id,
                side=self._orders[trade.order_id].report.side,
                fee=trade.fee,
                fee_asset="USDT",
                realized_pnl=trade.pnl,
            )
            for trade in self.trades
            if trade.ts <= until and trade.ts // 1000 * 1000 > since - 1000
        )

    def _balances(self, ts: int) -> tuple[Balance, ...]:
        return (Balance(asset="USDT", wallet_balance=[w for changed, w in self.wallets if changed <= ts][-1]),)

    def _held(self, ts: int) -> tuple[Position, ...]:
        held = [positions for changed, positions in self.positions if changed <= ts][-1]
        return tuple(_position(symbol, qty) for symbol, qty in held.items() if qty)

    # How it is booked

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _earn(self, kind: str, amount: Decimal, symbol: str | None, trade_id: str | None) -> None:
        self.wallets.append((self._now(), self.wallets[-1][1] + amount))
        self.income.append(
            IncomeReport(
                income_type=kind,
                kind=INCOME.get(kind, IncomeKind.OTHER),
                amount=amount,
                tran_id=str(self._next()),
                exchange_ts=self._now() // 1000 * 1000,
                asset="USDT",
                symbol=symbol,
                trade_id=trade_id,
            )
        )

    def _change(self, order_id: str, report: OrderReport, *, silent: bool = False, **last: object) -> None:
        report = msgspec.structs.replace(report, exchange_ts=self._now())
        order = self._orders[order_id]
        order.report = report
        order.versions.append((self._now(), report))
        if not silent:
            self._publish(msgspec.structs.replace(report, created_ts=None, **{"last_qty": ZERO, **last}))

    def _push_account(self, reason: str, symbol: str | None = None, funding: Decimal | None = None) -> None:
        if self.pushes_account:
            held = self.positions[-1][1]
            self._publish(
                AccountReport(
                    reason=reason,
                    balances=(Balance(asset="USDT", wallet_balance=self.wallets[-1][1], change=funding),),
                    positions=() if symbol is None else (_position(symbol, held.get(symbol, ZERO)),),
                    by_fill=reason == "ORDER",
                    funding=funding is not None,
                    one_way=True,
                    exchange_ts=self._now(),
                )
            )

    def _publish(self, push: Push) -> None:
        for listener in self.listeners:
            listener(push)


def _position(symbol: str, qty: Decimal) -> Position:
    side = None if not qty else "LONG" if qty > 0 else "SHORT"
    return Position(symbol=symbol, side=side, qty=abs(qty))
