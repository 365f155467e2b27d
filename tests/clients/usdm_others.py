"""Clients of Binance besides ccxt: their keys, user streams and readings are compared with the truth."""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import metadata
from types import ModuleType
from typing import Any, Protocol

from listenkey.adapters.simulator.server import Server

from . import python_binance, usdm_rows, usds_sdk
from .calling import DIFFERENT, LEFT_OUT, PATIENCE
from .known import KNOWN, verdict
from .pace import Unhurried
from .reading import Reading
from .stepped import stepped
from .truth import Truth

CLIENTS = {"python-binance": python_binance, "binance-sdk-derivatives-trading-usds-futures": usds_sdk}
"""The module of each client, by its package."""
RATE, STEPS, STEP = 1.0, 90, 2.0
"""Fills per exchange second, and the number and seconds of steps of exchange time."""
LOOK = 0.02


class Client(Protocol):
    """The interface of each client; answers are rows as the venue writes them."""

    frames: list[Any]

    async def keys(self) -> tuple[str, str]: ...
    async def fills(self, symbol: str) -> Any: ...
    async def orders(self, symbol: str) -> Any: ...
    async def order(self, symbol: str, order_id: str) -> Any: ...
    async def open_orders(self) -> Any: ...
    async def positions(self) -> Any: ...
    async def balances(self) -> Any: ...
    async def account(self) -> Any: ...
    async def income(self) -> Any: ...
    async def position_mode(self) -> Any: ...


async def read(client: Client, truth: Truth, reading: Reading) -> None:
    """Make all calls that read, and compare their answers and the frames of the socket."""
    orders = usdm_rows.plain_orders(truth)
    waiting = {key: row for key, row in orders.items() if row["state"] == "open"}

    async def ask(subject: str, source: str, read: Callable[[Any], Any], expected: Any, *arguments: str) -> None:
        await reading.ask(subject, source, source, lambda: getattr(client, source)(*arguments), read, expected)

    for symbol in truth.symbols:
        ours = {key: row for key, row in orders.items() if row["symbol"] == symbol}
        await ask("fill", "fills", usdm_rows.fills, truth.fills_of(symbol), symbol)
        await ask("order", "orders", usdm_rows.orders, ours, symbol)
    for key, row in truth.samples.items():
        if key in orders:
            await ask("order", "order", lambda said: usdm_rows.orders([said]), {key: row}, str(row["symbol"]), key)
    await ask("order", "open_orders", usdm_rows.orders, waiting)
    await ask("position", "positions", usdm_rows.positions, truth.positions)
    await ask("wallet", "balances", usdm_rows.wallets, truth.wallets)
    await ask("wallet", "account", usdm_rows.account, truth.wallets)
    await ask("income", "income", usdm_rows.income, usdm_rows.bookings(truth))
    await ask("position mode", "position_mode", usdm_rows.position_mode, truth.position_mode)
    heard = [frame for frame in client.frames if isinstance(frame, dict) and "e" in frame]
    for subject, table, expected in (
        ("fill", usdm_rows.pushed_fills, truth.fills),
        ("order", usdm_rows.pushed_orders, orders),
        ("wallet", usdm_rows.pushed_wallets, truth.wallets),
    ):
        try:
            reading.compare(subject, "stream", expected, table(heard))
        except (KeyError, TypeError, ValueError) as error:
            reading.failed(subject, "stream", error)


@asynccontextmanager
async def busy(module: ModuleType, *, seed: int, hedge: bool) -> AsyncIterator[tuple[Server, Client]]:
    """Run an exchange with activity, and a client that listens; at the end all is at rest and has been heard."""
    exchange = stepped(seed=seed, hedge=hedge, venue="binance-usdm", fills_per_second=RATE, readings=module.READINGS)
    exchange.quiet()
    async with exchange:
        connected: AbstractAsyncContextManager[Client] = module.client(exchange)
        async with connected as client:
            await _until(lambda: bool(_keys(exchange)))
            exchange.quiet(False)
            for _ in range(STEPS):
                exchange.advance(STEP)
                await asyncio.sleep(0)
            exchange.quiet()
            fills = {fill["trade_id"] for fill in exchange.truth()["fills"]}
            await _until(lambda: fills <= {*_trades(client)})
            yield exchange, client


def _keys(exchange: Server) -> set[str]:
    """The keys on which sockets listen."""
    streams: list[Any] = list(exchange.hub)
    return {each.key for stream in streams for each in stream.subscriptions}


async def _until(holds: Callable[[], bool]) -> None:
    """Wait until `holds` returns True, or for long enough; missing data is then a difference."""
    end = time.monotonic() + PATIENCE
    for _ in iter(lambda: holds() or time.monotonic() > end, True):
        await asyncio.sleep(LOOK)


def _trades(client: Client) -> Iterator[str]:
    for frame in client.frames:
        if isinstance(frame, dict) and frame.get("e") == "ORDER_TRADE_UPDATE":
            yield str(frame["o"]["t"])


async def followed(module: ModuleType, *, seed: int, hedge: bool) -> tuple[Reading, bool]:
    """Return one client's reading in one mode, and True if its keys were those of the account."""
    reading = Reading(module.NAME, Unhurried())
    async with busy(module, seed=seed, hedge=hedge) as (exchange, client):
        keys = await client.keys()
        alive = _keys(exchange)
        await read(client, Truth(exchange.truth()), reading)
    return reading, {*keys} == alive


def others(seed: int) -> Iterator[str]:
    """Run every installed client in both modes, and yield the lines."""
    readings = []
    for package, module in CLIENTS.items():
        if importlib.util.find_spec(module.MODULE) is None:
            yield f"{package} {LEFT_OUT}: make .venv/.bench"
            continue
        yield f"{package} {metadata.version(package)}"
        for hedge in (True, False):
            mode = "hedge" if hedge else "one_way"
            reading, same = asyncio.run(followed(module, seed=seed, hedge=hedge))
            readings.append(reading)
            counts = ", ".join(f"{count} x {subject}" for subject, count in reading.compared.items())
            yield f"{mode}: {module.NAME} compared {counts}"
            if not same:
                yield f"{DIFFERENT}{mode}, {module.NAME}: its keys are not the one that it listens on"
    compared = {(reading.client, subject) for reading in readings for subject in reading.compared}
    found = verdict((each for reading in readings for each in reading.differences), KNOWN, compared)
    for known, count in found.explained.items():
        yield f"{known.client}'s own, {count} x {known.subject} {known.field}: {known.reason}"
    for known in found.needless:
        yield f"{DIFFERENT}no longer needed: {known.client}, {known.subject} {known.field}: {known.reason}"
    alike = Counter((each.client, each.source, each.subject, each.field) for each in found.unknown)
    for each in found.unknown:
        place = each.client, each.source, each.subject, each.field
        if count := alike.pop(place, 0):
            yield f"{DIFFERENT}{' '.join(place)}, {count} x: {each.key} is {each.truth}, not {each.theirs}"
