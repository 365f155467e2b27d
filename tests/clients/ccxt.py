"""ccxt's BingX in sandbox mode, with the exchange as sandbox: what it reads by REST."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from listenkey.adapters.testing.redirect import redirect

from .exchange import API_KEY, API_SECRET, Doors
from .reading import Reading
from .table import Row, Table, amount, keyed, moment, numbered
from .truth import Truth
from .wire import MILLISECOND, SECOND, wallets

NAME = "ccxt"
MOST = 1000


@asynccontextmanager
async def client(exchange: Doors) -> AsyncIterator[Any]:
    """Run a `ccxt.pro.bingx`, without types; in sandbox mode it knows only swaps, and loads no other markets."""
    settings = {"timeout": 60_000}
    where = {"rest_url": exchange.rest_url, "ws_url": exchange.ws_url, "api_key": API_KEY, "api_secret": API_SECRET}
    made = redirect(importlib.import_module("ccxt.pro").bingx(settings), **where)
    try:
        yield made
    finally:
        await made.close()


async def start(ccxt: Any, reading: Reading) -> bool:
    """Load the markets, which ccxt needs; return False if that failed."""
    try:
        await ccxt.load_markets()
    except Exception as error:
        reading.failed("market", "load_markets", error)
        return False
    return True


async def read(ccxt: Any, truth: Truth, reading: Reading) -> None:
    """Make all calls that a bot needs to read, as far back as ccxt goes by default, and compare the answers."""

    async def ask(
        subject: str, source: str, endpoint: str, expected: Table, read: Callable[[Any], Table], *arguments: Any
    ) -> None:
        await reading.ask(subject, source, endpoint, lambda: getattr(ccxt, source)(*arguments), read, expected)

    def named(id: Any) -> Any:
        return ccxt.safe_symbol(id, None, None, "swap")

    for symbol in truth.symbols:
        fills = truth.fills_by_order_of(symbol)
        await ask("fill", "fetch_my_trades", "allFillOrders", fills, partial(_fills, ccxt), named(symbol))
    most = None, None, MOST
    past, now = partial(orders, ccxt, grain=SECOND), partial(orders, ccxt, grain=MILLISECOND)
    await ask("order", "fetch_orders", "fullOrder", truth.orders, past, *most)
    # ccxt accepts a limit here, but does not send it.
    await ask(
        "order", "fetch_canceled_and_closed_orders", "allOrders", truth.ended_orders, past, *most, {"limit": MOST}
    )
    await ask("order", "fetch_open_orders", "openOrders", truth.open_orders, now)
    for key, row in truth.samples.items():
        one = partial(_order_alone, ccxt)
        await ask("order", "fetch_order", "order", {key: row}, one, key, named(row["symbol"]))
    await ask("position", "fetch_positions", "positions", truth.positions, partial(_positions, ccxt))
    await ask("wallet", "fetch_balance", "balance", truth.wallets, _wallets)
    await ask("position mode", "fetch_position_mode", "dual", truth.position_mode, _mode)


def orders(ccxt: Any, rows: Any, grain: int) -> Table:
    """Return orders of ccxt's unified structure as a table; `grain` is that of their times, ms."""
    return keyed((row["id"], _order(ccxt, row, grain)) for row in rows)


def _order(ccxt: Any, row: Mapping[str, Any], grain: int) -> Row:
    """Return the row of an order; conditional ones are market or limit orders here, without position side."""
    return {
        "client_order_id": row["clientOrderId"] or None,
        "symbol": ccxt.market(row["symbol"])["id"],
        "side": row["side"].upper(),
        "kind": row["type"],
        "state": row["status"],
        "price": None if row["price"] is None else amount(row["price"]),
        "qty": amount(row["amount"]),
        "executed": amount(row["filled"]),
        "average_price": None if row["average"] is None else amount(row["average"]),
        "fee": amount(row["fee"]["cost"]),
        "created": moment(row["timestamp"], grain),
        "updated": moment(row["lastUpdateTimestamp"], grain),
    }


def _order_alone(ccxt: Any, row: Any) -> Table:
    return orders(ccxt, [row], MILLISECOND)


def _fills(ccxt: Any, rows: Any) -> Table:
    return numbered(_fill(ccxt, row) for row in rows)


def _fill(ccxt: Any, row: Mapping[str, Any]) -> Row:
    """Return the row of a fill; the rows that ccxt reads have no trade id and no side."""
    return {
        "order_id": row["order"],
        "symbol": ccxt.market(row["symbol"])["id"],
        "qty": amount(row["amount"]),
        "price": amount(row["price"]),
        "fee": amount(row["fee"]["cost"]),
        "fee_asset": row["fee"]["currency"],
        "ts": moment(row["timestamp"], SECOND),
    }


def _positions(ccxt: Any, rows: Any) -> Table:
    return keyed((f"{ccxt.market(row['symbol'])['id']} {row['side'].upper()}", _position(row)) for row in rows)


def _position(row: Mapping[str, Any]) -> Row:
    return {
        "qty": amount(row["contracts"]),
        "entry_price": amount(row["entryPrice"]),
        "margin_mode": row["marginMode"],
        "leverage": int(row["leverage"]),
        "hedged": row["hedged"],
    }


def _wallets(said: Any) -> Table:
    """Return the wallets; ccxt's `total` is free and bound, so the equity, and only the row itself has the wallet."""
    return wallets(said["info"]["data"])


def _mode(said: Any) -> Table:
    return {"account": {"hedged": said["hedged"]}}
