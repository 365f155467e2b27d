"""A trading desk: one account's orders, frames and reads, deterministic, in exchange time.

Orders fill in parts. Even orders open a short, and odd ones close it again, so that books and positions stay small and
add up, even after a month.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from listenkey.core.events import Balance, Position
from listenkey.core.kinds import IncomeKind
from listenkey.core.reports import Account, FillReport, IncomeReport, OrderRef, OrderReport

from .frames import FEE, FIRST_ORDER, FIRST_TRADE, PRICE
from .wires import BINGX, Frame, Wire

KEY = SECRET = "simulated" * 7
"""Credentials as long as a venue's: shorter ones would have to be searched for in every frame."""

PART = Decimal("0.001")
GAIN = Decimal("0.01")
EPOCH = 1_758_608_899_000
ZERO = Decimal(0)
HISTORY_MS = 600_000


class Desk:
    """A desk with `parts` fills per order; the wallet starts with `wallet`. Reads go back ten minutes."""

    def __init__(self, *, parts: int = 2, wallet: Decimal = Decimal(100_000), wire: Wire = BINGX) -> None:
        self._wire = wire
        self.parts = parts
        self.wallet = wallet
        self.held = ZERO
        self._fills = 0
        self._created = 0
        self._orders: deque[OrderReport] = deque()
        self._rows: deque[FillReport] = deque()
        self._income: deque[IncomeReport] = deque()

    def fill(self, at: int) -> tuple[bytes, bytes]:
        """Make one more fill at this exchange time, ms; return the texts of its two frames."""
        serial, part = divmod(self._fills, self.parts)
        closing = serial % 2 == 1
        if part == 0:
            self._created = at
        self._fills += 1
        done, qty = PART * (part + 1), PART * self.parts
        pnl = GAIN if closing else ZERO
        self.wallet += pnl - FEE
        self.held += -PART if closing else PART
        self._book(serial, done, qty, pnl, at)
        text = self._wire.order_text(serial, done, qty, at, last=PART, trade=self._fills, pnl=pnl)
        return text, self._wire.account_text(self.wallet, self.held, at + 2)

    def frames(self, fills: int, *, since: int = EPOCH, every_ms: int = 1) -> list[Frame]:
        """Return the frames of `fills` fills, each followed by its account update."""
        frames: list[Frame] = []
        for number in range(fills):
            frames += [self._wire.packed(text) for text in self.fill(since + number * every_ms)]
        return frames

    def read(self, since: int | None, orders: Sequence[OrderRef], at: int) -> Account:
        """Return the account as it is at this exchange time, ms."""
        self._forget(at - HISTORY_MS)
        alone = since is None and bool(orders)
        wanted = {ref.order_id for ref in orders}
        start = at if since is None else since
        shown = [
            report
            for report in self._orders
            if report.order_id in wanted or (not alone and (report.exchange_ts or 0) > start)
        ]
        ids = {report.order_id for report in shown}
        rows = [row for row in self._rows if (row.order_id in ids if alone else row.exchange_ts > start)]
        if alone:
            return Account(
                as_of=at, exchange_ms=at, since=None, whole=False, settled=True, orders=tuple(shown), fills=tuple(rows)
            )
        return Account(
            as_of=at,
            exchange_ms=at,
            since=start,
            whole=True,
            settled=True,
            balances=(Balance(asset="USDT", wallet_balance=self.wallet),),
            positions=(Position(symbol=self._wire.symbol, side="SHORT", qty=self.held),) if self.held else (),
            orders=tuple(shown),
            open_orders=frozenset(report.order_id for report in shown if report.status != "FILLED"),
            fills=tuple(rows),
            income=tuple(row for row in self._income if row.exchange_ts > start),
        )

    def _book(self, serial: int, done: Decimal, qty: Decimal, pnl: Decimal, at: int) -> None:
        order_id, trade_id = str(FIRST_ORDER + serial), str(FIRST_TRADE + self._fills)
        side, symbol = "BUY" if serial % 2 else "SELL", self._wire.symbol
        listed_at = at // self._wire.grain_ms * self._wire.grain_ms
        if self._orders and self._orders[-1].order_id == order_id:
            self._orders.pop()
        self._orders.append(
            OrderReport(
                symbol=symbol,
                order_id=order_id,
                status="FILLED" if done == qty else "PARTIALLY_FILLED",
                cumulative_qty=done,
                side=side,
                position_side="SHORT",
                order_type="LIMIT",
                price=PRICE,
                qty=qty,
                average_price=PRICE,
                exchange_ts=at,
                created_ts=self._created,
            )
        )
        self._rows.append(
            FillReport(
                symbol=symbol,
                order_id=order_id,
                qty=PART,
                exchange_ts=listed_at,
                price=PRICE,
                trade_id=trade_id,
                side=side,
                position_side="SHORT",
                fee=FEE,
                fee_asset="USDT",
                realized_pnl=pnl,
            )
        )
        for kind, amount in ((IncomeKind.FEE, -FEE), (IncomeKind.PNL, pnl)):
            if amount:
                row = IncomeReport(
                    income_type=kind.upper(),
                    kind=kind,
                    amount=amount,
                    tran_id=f"{trade_id}{kind[0]}",
                    exchange_ts=listed_at,
                    asset="USDT",
                    symbol=symbol,
                    trade_id=trade_id,
                )
                self._income.append(row)

    def _forget(self, before: int) -> None:
        while self._orders and (self._orders[0].exchange_ts or 0) < before:
            self._orders.popleft()
        while self._rows and self._rows[0].exchange_ts < before:
            self._rows.popleft()
        while self._income and self._income[0].exchange_ts < before:
            self._income.popleft()
