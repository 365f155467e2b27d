"""bixpy: synchronous, with answers as they come, and an error if `code` is not the number 0."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from . import wire
from .exchange import API_KEY, API_SECRET, Exchange
from .reading import Reading
from .table import Table
from .truth import Truth

NAME = "bixpy"
MOST = 1000


def client(exchange: Exchange) -> Any:
    """Return a `Bixpy.perpetual.Perpetual`, which has no types."""
    make = importlib.import_module("Bixpy.perpetual").Perpetual
    return make(API_KEY, API_SECRET, base_url=exchange.rest_url, timeout=60)


async def read(bixpy: Any, truth: Truth, reading: Reading) -> None:
    """Make all its calls that read, and compare the answers."""
    trade, account = bixpy.trade, bixpy.account

    async def ask(
        subject: str,
        endpoint: str,
        expected: Table,
        read: Callable[[Any], Table],
        call: Callable[..., Any],
        *arguments: Any,
        **options: Any,
    ) -> None:
        def asked() -> Any:
            return call(*arguments, **options)["data"]

        await reading.ask(subject, call.__name__, endpoint, lambda: asyncio.to_thread(asked), read, expected)

    for symbol in truth.symbols:
        window = (symbol, truth.since, truth.now)
        fills = trade.get_historical_transaction_details
        await ask("fill", "fillHistory", truth.fills_of(symbol), _fills, fills, *window, page_size=MOST)
    past, now = partial(_orders, grain=wire.SECOND), partial(_orders, grain=wire.MILLISECOND)
    await ask("order", "fullOrder", truth.orders, past, trade.get_all_orders, MOST)
    await ask("order", "allOrders", truth.ended_orders, past, trade.get_order_history, MOST)
    await ask("order", "openOrders", truth.open_orders, now, trade.get_all_open_orders)
    for key, row in truth.samples.items():
        await ask("order", "order", {key: row}, _order, trade.get_order_details, row["symbol"], int(key))
    await ask("position", "positions", truth.positions, wire.positions, account.positions)
    await ask("wallet", "balance", truth.wallets, wire.wallets, account.balance)
    await ask("income", "income", truth.income, wire.income, account.income, limit=MOST)
    await ask("position mode", "dual", truth.position_mode, wire.position_mode, trade.get_position_mode)


def _fills(data: Any) -> Table:
    return wire.fills(data["fill_history_orders"])


def _orders(data: Any, grain: int) -> Table:
    return wire.orders(data["orders"], grain)


def _order(data: Any) -> Table:
    return wire.orders([data["order"]], wire.MILLISECOND)
