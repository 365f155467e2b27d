"""An account in memory, with the services that a stream needs: keys, reads and sockets, without network and limits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from listenkey.core.events import Balance, Position
from listenkey.core.kinds import Purpose
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import Account, FillReport, OrderRef, OrderReport
from listenkey.ports import service
from listenkey.ports.errors import HandshakeRefused, RequestRefused, SocketEnded, TransportFailed
from listenkey.ports.keys import Grant

SYMBOL = "BTC-USDT"
PRICE = Decimal(100)
ONE = Decimal(1)


class Place(NamedTuple):
    """An environment: the venue and its REST host."""

    venue: str
    host: str


class Fill(NamedTuple):
    """A market order of quantity 1, filled completely at this exchange time, ms."""

    order_id: str
    at: int


class Customer:
    """One account: its fills, its API keys, and its open sockets.

    `user` is the account id in its balances, None if they have none; accounts in two environments may have the same.
    `wealth` is the balance of its wallet, which no other account has.
    """

    def __init__(self, name: str, place: Place, user: str | None, wealth: int) -> None:
        self.name = name
        self.place = place
        self.user = user
        self.wealth = Decimal(wealth)
        self.api_keys = [f"{name}-api-key-0"]
        self.fills: list[Fill] = []
        self.sockets: list[Wire] = []

    def trade(self) -> Fill:
        """Execute an order, and push its frame on every open socket."""
        fill = Fill(f"{self.name}{len(self.fills) + 1:06}", now_ms())
        self.fills.append(fill)
        for socket in self.sockets:
            socket.frames.send_nowait(_frame(fill))
        return fill

    def new_api_key(self) -> None:
        """Add an API key, which is used from now on; the others stay valid."""
        self.api_keys.append(f"{self.name}-api-key-{len(self.api_keys)}")


class Service:
    """Keys, reader, handshake and dialer of a customer, for one of its API keys."""

    def __init__(self, customer: Customer, api_key: str) -> None:
        self.customer = customer
        self._api_key = api_key
        self._grants = 0

    def create(self) -> service.Service[Grant]:
        self._admit()
        yield from service.clock()
        self._grants += 1
        return Grant(f"{self._api_key}-listen-{self._grants}", 3600.0, now_ms())

    def renew(self, key: str) -> service.Service[None]:
        self._admit()
        yield from service.clock()

    def delete(self, key: str) -> service.Service[None]:
        self._admit()
        yield from service.clock()

    def turn(self) -> service.Service[float]:
        return service.clock()

    def url(self, key: str) -> str:
        self._admit()
        return "wss://venue.test"

    def refusal(self, error: HandshakeRefused | TransportFailed) -> Refusal:
        raise NotImplementedError

    async def dial(self, url: str, *, timeout: float, max_bytes: int) -> Wire:
        return Wire(self.customer)

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def read(
        self, since: int | None, orders: Sequence[OrderRef] = (), *, purpose: Purpose = Purpose.SYNC
    ) -> service.Service[Account]:
        """Read the account since `since`, or these orders alone."""
        self._admit()
        yield from service.clock()
        customer, now = self.customer, now_ms()
        alone = since is None and bool(orders)
        start = now if since is None else since
        asked = {ref.order_id for ref in orders}
        shown = [
            fill
            for fill in customer.fills
            if fill.order_id in asked or (not alone and fill.at // 1000 * 1000 > start // 1000 * 1000 - 1)
        ]
        return Account(
            as_of=now,
            exchange_ms=now,
            since=None if alone else start,
            whole=not alone,
            settled=True,
            balances=() if alone else (_balance(customer),),
            positions=() if alone or not customer.fills else (_position(customer),),
            positions_listed="rows" if customer.fills else "none",
            orders=tuple(map(_order, shown)),
            denied=frozenset(ref for ref in orders if ref.order_id not in {fill.order_id for fill in shown}),
            fills=tuple(map(_row, shown)),
            account_id=None if alone else customer.user,
        )

    def _admit(self) -> None:
        if self._api_key not in self.customer.api_keys:
            raise RequestRefused(Refusal(RefusalKind.FATAL, "100413", "Incorrect apiKey"))


class Wire:
    """A socket whose first frame is a ping, which proves it."""

    def __init__(self, customer: Customer) -> None:
        self.frames: MemoryObjectSendStream[str]
        self._inbox: MemoryObjectReceiveStream[str]
        self.frames, self._inbox = anyio.create_memory_object_stream[str](float("inf"))
        self._customer = customer
        self.frames.send_nowait("Ping")
        customer.sockets.append(self)

    def attend(self, heard: Callable[[], None]) -> None:
        """Ignore `heard`: there are no protocol pings."""

    async def ping(self) -> None:
        """Do nothing: there is no answer."""

    async def receive(self) -> str:
        try:
            return await self._inbox.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            raise SocketEnded(1000) from None

    async def send(self, text: str) -> None:
        """Drop the text, which is a pong."""

    async def close(self, code: int = 1000) -> None:
        if self in self._customer.sockets:
            self._customer.sockets.remove(self)
        self.frames.close()
        self._inbox.close()


def now_ms() -> int:
    """The venue's clock, ms, which is the host's."""
    return time.time_ns() // 1_000_000


def _frame(fill: Fill) -> str:
    order = {"s": SYMBOL, "c": "", "i": fill.order_id, "S": "BUY", "o": "MARKET", "q": "1", "p": "0", "ap": "100"}
    order |= {
        "x": "TRADE",
        "X": "FILLED",
        "N": "USDT",
        "n": "0",
        "ps": "LONG",
        "rp": "0",
        "z": "1",
        "l": "1",
        "L": "100",
    }
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": fill.at, "T": fill.at, "o": {**order, "T": fill.at}})


def _order(fill: Fill) -> OrderReport:
    return OrderReport(
        symbol=SYMBOL,
        order_id=fill.order_id,
        status="FILLED",
        cumulative_qty=ONE,
        side="BUY",
        position_side="LONG",
        order_type="MARKET",
        qty=ONE,
        average_price=PRICE,
        exchange_ts=fill.at,
        created_ts=fill.at,
    )


def _row(fill: Fill) -> FillReport:
    return FillReport(
        symbol=SYMBOL,
        order_id=fill.order_id,
        qty=ONE,
        exchange_ts=fill.at // 1000 * 1000,
        price=PRICE,
        side="BUY",
        position_side="LONG",
        fee=Decimal(0),
        fee_asset="USDT",
        realized_pnl=Decimal(0),
    )


def _balance(customer: Customer) -> Balance:
    return Balance(asset="USDT", wallet_balance=customer.wealth)


def _position(customer: Customer) -> Position:
    return Position(symbol=SYMBOL, side="LONG", qty=Decimal(len(customer.fills)), entry_price=PRICE)
