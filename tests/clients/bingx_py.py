"""bingx-py: asynchronous, with a pydantic model for every answer, which refuses an answer for one wrong value."""

from __future__ import annotations

import importlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from . import wire
from .comparison import Difference
from .exchange import API_KEY, API_SECRET, Exchange
from .reading import Reading
from .table import Table
from .truth import Truth

NAME = "bingx-py"
MOST = 1000


@asynccontextmanager
async def client(exchange: Exchange) -> AsyncIterator[Any]:
    """Run a `bingx_py.BingXAsyncClient`; its models have types, but the results of its calls have none."""
    logging.getLogger(NAME).addHandler(logging.NullHandler())
    made = importlib.import_module("bingx_py").BingXAsyncClient(API_KEY, API_SECRET)
    made.base_url = exchange.rest_url
    async with made:
        yield made


async def read(bingx: Any, truth: Truth, reading: Reading) -> None:
    """Make all its calls that read, and compare the answers."""
    swap, refused = bingx.swap, importlib.import_module("bingx_py.exceptions").ConversionError

    async def ask(
        subject: str,
        endpoint: str,
        expected: Table,
        read: Callable[[Any], Table],
        call: Callable[..., Any],
        *arguments: Any,
        **options: Any,
    ) -> None:
        async def asked() -> Any:
            try:
                answer = (await call(*arguments, **options)).model_dump(mode="json", by_alias=True)
            except refused as error:
                answer = error.initial_data
                reading.differences += _out_of_place(subject, call.__name__, expected, error)
            return answer["data"]

        await reading.ask(subject, call.__name__, endpoint, asked, read, expected)

    for symbol in truth.symbols:
        window = (symbol, truth.since, truth.now)
        fills = swap.query_historical_transaction_details
        await ask("fill", "fillHistory", truth.fills_of(symbol), _fills, fills, *window, page_size=MOST)
    past, now = partial(_orders, grain=wire.SECOND), partial(_orders, grain=wire.MILLISECOND)
    await ask("order", "fullOrder", truth.orders, past, swap.query_all_orders, limit=MOST)
    await ask("order", "allOrders", truth.ended_orders, past, swap.query_order_history, limit=MOST)
    await ask("order", "openOrders", truth.open_orders, now, swap.get_current_all_open_orders)
    for key, row in truth.samples.items():
        await ask("order", "order", {key: row}, _order, swap.query_order_details, row["symbol"], int(key))
    await ask("position", "positions", truth.positions, wire.positions, swap.query_position_data)
    await ask("wallet", "balance", truth.wallets, wire.wallets, swap.query_account_data)
    await ask("income", "income", truth.income, wire.income, swap.get_account_profit_and_loss_fund_flow, limit=MOST)
    await ask("position mode", "dual", truth.position_mode, wire.position_mode, swap.query_position_mode)


def _out_of_place(subject: str, source: str, expected: Table, error: Any) -> list[Difference]:
    """Return the fields that its model refuses, with their values in the answer, as differences."""
    found = []
    for each in error.__cause__.errors():
        where = each["loc"]
        row = error.initial_data
        for step in where[:-1]:
            row = row[step]
        key = str(row.get("orderId", ""))
        true = expected.get(key, {}).get(where[-1])
        found.append(Difference(NAME, source, subject, key, f"model {where[-1]}", true, f"{each['input']!r}"))
    return found


def _fills(data: Any) -> Table:
    return wire.fills(data["fill_history_orders"])


def _orders(data: Any, grain: int) -> Table:
    return wire.orders(data["orders"], grain)


def _order(data: Any) -> Table:
    return wire.orders([data["order"]], wire.MILLISECOND)
